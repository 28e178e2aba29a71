/** Boxes on their way from one place to another, with the phrase they belong to. They keep their exact numbers wherever they can. */
import { type Box, type Size, boxFlags, keepInside, moveBox, sameBox } from '../../../shared/geometry.ts'
import { NO_OUTLINE, type Outline, type Shape, scaleOutline, shapeOf } from '../../../shared/shape.ts'

export interface Clip {
  readonly phrase: string
  readonly boxes: readonly Box[]
  readonly outlines: readonly Outline[]
  /** Size of the image they were copied from. */
  readonly size: Size
}

let held: Clip | null = null

export function copyClip(clip: Clip): void {
  held = clip
}
export const heldClip = (): Clip | null => held

/** How far a copy is moved aside from the box it would lie on, in image px. */
export function asideBy(image: Size): number {
  return Math.max(2, Math.round(Math.min(image.width, image.height) / 40))
}

/**
 * The boxes as they are put on an image. Those that do not fit on an image of another size are moved in, never cut; one that would
 * lie exactly on a box that is there stands aside from it, where it can be seen.
 */
export function pastedShape(clip: Clip, image: Size, there: readonly Box[]): Shape {
  const taken = [...there]
  const sameSize = clip.size.width === image.width && clip.size.height === image.height
  const boxes = clip.boxes.map((box) => {
    let put = sameSize || boxFlags(box, image).length === 0 ? box : keepInside(box, image)
    const aside = asideBy(image)
    // One direction for all steps: each leads further, so this ends with a free place.
    const start = put
    const way = besides(start, image, aside)[0] < start[0] ? -aside : aside
    for (let n = 1; taken.some((other) => sameBox(other, put)); n++) put = moveBox(start, n * way, n * way)
    taken.push(put)
    return put
  })
  return shapeOf(boxes, clip.outlines.map((outline, i) => scaleOutline(outline, clip.boxes[i]!, boxes[i]!)))
}

/** Two shapes as one. */
export function joined(a: Shape, b: Shape): Shape {
  const outlines = (shape: Shape) => shape.boxes.map((_, i) => shape.outlines[i] ?? NO_OUTLINE)
  return shapeOf([...a.boxes, ...b.boxes], [...outlines(a), ...outlines(b)])
}

/** Down and to the right, or the other way where the image ends. */
export function besides(box: Box, image: Size, aside: number): Box {
  const room = box[2] + aside <= image.width && box[3] + aside <= image.height
  return room ? moveBox(box, aside, aside) : moveBox(box, -aside, -aside)
}
