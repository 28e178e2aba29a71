/**
 * The shape of a region: boxes, and for a box that is not the whole story its outline. An outline is one closed polygon, flat as
 * [x1, y1, x2, y2, ...] in image pixels (floats); box i is exactly the bounds of outline i, so that whoever knows boxes only is
 * never wrong, just coarse. A part of several pieces is several boxes.
 */
import { AppError } from './errors.ts'
import { type Box, boxArea, boxHeight, boxWidth, sameBox } from './geometry.ts'

/** At least three points; [] where a box is itself the shape. */
export type Outline = readonly number[]

export interface Shape {
  readonly boxes: readonly Box[]
  /** [] when no box has an outline; otherwise as many entries as boxes. */
  readonly outlines: readonly Outline[]
}

export const NO_OUTLINE: Outline = []
const MAX_OUTLINE_NUMBERS = 200_000

export const boxesOnly = (boxes: readonly Box[]): Shape => ({ boxes, outlines: [] })

/** The outline of a box; null where the box is itself the shape. */
export function outlineOf({ outlines }: Shape, index: number): Outline | null {
  const outline = outlines[index]
  return outline !== undefined && outline.length > 0 ? outline : null
}

/** The box that belongs to an outline of at least one point. */
export function outlineBounds(outline: Outline): Box {
  let [x1, y1, x2, y2] = [Infinity, Infinity, -Infinity, -Infinity]
  for (let i = 0; i + 1 < outline.length; i += 2) {
    const [x, y] = [outline[i]!, outline[i + 1]!]
    if (x < x1) x1 = x
    if (x > x2) x2 = x
    if (y < y1) y1 = y
    if (y > y2) y2 = y
  }
  return [x1, y1, x2, y2]
}

/** A shape of these boxes and outlines, the list of outlines empty when none of them says anything. */
export function shapeOf(boxes: readonly Box[], outlines: readonly Outline[]): Shape {
  return { boxes, outlines: outlines.some((outline) => outline.length > 0) ? outlines : [] }
}

/** @throws AppError 'bad-input' when boxes and outlines do not belong together */
export function checkOutlines({ boxes, outlines }: Shape): void {
  if (outlines.length === 0) return
  const refuse = (message: string, cure: string): never => {
    throw new AppError('bad-input', message, cure, 'outlines')
  }
  if (outlines.length !== boxes.length) refuse(`The region has ${boxes.length} boxes and ${outlines.length} outlines.`, 'Give one outline a box, empty where the box is the shape, or none at all.')
  if (!outlines.some((outline) => outline.length > 0)) refuse('All outlines of the region are empty.', 'Leave the list of outlines empty.')
  const numbers = outlines.reduce((sum, outline) => sum + outline.length, 0)
  if (numbers > MAX_OUTLINE_NUMBERS) refuse(`The outlines of the region have ${numbers / 2} points; ${MAX_OUTLINE_NUMBERS / 2} are the most.`, 'Use coarser outlines.')
  outlines.forEach((outline, i) => {
    if (outline.length === 0) return
    if (outline.length < 6 || outline.length % 2 !== 0) refuse(`Outline ${i + 1} has ${outline.length} numbers.`, 'An outline needs x and y of at least three points.')
    if (!outline.every(Number.isFinite)) refuse(`Outline ${i + 1} has a number that is not finite.`, 'Draw it again.')
    const bounds = outlineBounds(outline)
    if (!sameBox(bounds, boxes[i]!)) refuse(`Box ${i + 1} is [${boxes[i]!.join(', ')}], but its outline reaches over [${bounds.join(', ')}].`, 'Give the box exactly the bounds of its outline.')
  })
}

/**
 * The outline moved and stretched with its box. Its bounds are exactly the new box, rounding notwithstanding; empty when either
 * box has no area, where an outline has no shape.
 */
export function scaleOutline(outline: Outline, from: Box, to: Box): Outline {
  if (outline.length === 0 || boxArea(from) === 0 || boxArea(to) === 0) return NO_OUTLINE
  const scaled = [boxWidth(to) / boxWidth(from), boxHeight(to) / boxHeight(from)] as const
  return outline.map((value, i) => {
    const axis = i % 2 === 0 ? 0 : 1
    const [low, high] = [to[axis], to[axis + 2]!]
    if (value === from[axis]) return low
    if (value === from[axis + 2]) return high
    return Math.min(high, Math.max(low, low + (value - from[axis]) * scaled[axis]))
  })
}

/** One box put in the place of another, its outline moved and stretched along. */
export function replaceBox(shape: Shape, index: number, box: Box): Shape {
  const boxes = shape.boxes.map((old, i) => (i === index ? box : old))
  return shapeOf(boxes, shape.outlines.map((outline, i) => (i === index ? scaleOutline(outline, shape.boxes[i]!, box) : outline)))
}

/** The shape with a copy of one box, and of its outline, put somewhere else. */
export function withCopy({ boxes, outlines }: Shape, index: number, place: Box): Shape {
  const copy = scaleOutline(outlines[index] ?? NO_OUTLINE, boxes[index]!, place)
  return shapeOf([...boxes, place], outlines.length > 0 ? [...outlines, copy] : [])
}

/**
 * The shape with other boxes: a box that is there as before keeps its outline, and a single box changed in its place takes its
 * outline along. Any other new box is the shape itself.
 */
export function withBoxes(shape: Shape, boxes: readonly Box[]): Shape {
  if (shape.outlines.length === 0) return boxesOnly(boxes)
  const changed = boxes.length === shape.boxes.length ? boxes.flatMap((box, i) => (sameBox(box, shape.boxes[i]!) ? [] : [i])) : []
  if (changed.length === 1) return replaceBox(shape, changed[0]!, boxes[changed[0]!]!)
  const outlinesOf = new Map<string, Outline[]>()
  shape.boxes.forEach((box, i) => {
    const same = outlinesOf.get(keyOf(box))
    if (same) same.push(shape.outlines[i]!)
    else outlinesOf.set(keyOf(box), [shape.outlines[i]!])
  })
  return shapeOf(boxes, boxes.map((box) => outlinesOf.get(keyOf(box))?.shift() ?? NO_OUTLINE))
}

const keyOf = (box: Box): string => box.join()

/** Boxes and outlines as they came together, with the outlines that do not fit their box left out. */
export function fittingOutlines({ boxes, outlines }: Shape): Shape {
  return shapeOf(boxes, outlines.length === 0 ? [] : boxes.map((box, i) => (sameBox(outlineBounds(outlines[i] ?? []), box) ? outlines[i]! : NO_OUTLINE)))
}
