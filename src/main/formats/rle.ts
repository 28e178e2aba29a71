/**
 * Run-length masks as COCO writes them: runs of pixels outside and inside by turns, column after column, as numbers or in COCO's text of six
 * bits a character. A mask becomes the polygons around its pixels, along their edges, so that the bounds are exact.
 */
import type { Outline } from '../../shared/shape.ts'

export interface MaskOutlines {
  /** One closed polygon a piece; pixels that touch at a corner only are pieces of their own. */
  readonly pieces: readonly Outline[]
  /** Places inside a piece that do not belong to it: an outline cannot leave them out. */
  readonly holes: number
}

/** Half-open: rows from the first number to before the second. */
type Span = readonly [number, number]

/** More pixels, and a longer side, than any image that can be read has: a single run may lie in as many columns as there are. */
const [MOST_PIXELS, LONGEST_SIDE] = [400_000_000, 65_535]

/**
 * The runs of a `segmentation` that is an object; a sentence that says what is wrong with it otherwise.
 * @param size [height, width] as the mask says
 */
export function runsOf(counts: unknown, size: readonly [number, number]): readonly number[] | string {
  const [height, width] = size
  if (!(Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0 && Math.max(height, width) <= LONGEST_SIDE && height * width <= MOST_PIXELS)) return 'its size is not a height and a width'
  const runs = typeof counts === 'string' ? runsOfText(counts) : Array.isArray(counts) ? (counts as unknown[]) : null
  if (runs === null) return 'its counts are neither numbers nor COCO\u2019s text'
  let sum = 0
  for (const run of runs) {
    if (typeof run !== 'number' || !Number.isInteger(run) || run < 0) return 'its counts are not whole numbers from 0 on'
    sum += run
  }
  return sum === height * width ? (runs as number[]) : `its counts cover ${sum} pixels, and its size is ${width} x ${height}`
}

/** Five bits a character, the sixth says that more follow; from the third run on the difference to the run two before is written. */
function runsOfText(text: string): number[] | null {
  const runs: number[] = []
  for (let at = 0; at < text.length;) {
    let value = 0
    for (let shift = 0; ; shift += 5) {
      const bits = text.charCodeAt(at++) - 48
      if (!(bits >= 0 && bits < 64) || shift > 30) return null // past the end it is NaN
      value += (bits & 31) * 2 ** shift
      if (bits & 32) continue
      if (bits & 16) value -= 2 ** (shift + 5)
      break
    }
    runs.push(runs.length > 2 ? value + runs[runs.length - 2]! : value)
  }
  return runs
}

/** The polygons around the pixels that are inside. Memory grows with the runs and the columns, not with the pixels. */
export function outlinesOf(runs: readonly number[], height: number): MaskOutlines {
  const loops = loopsOf(edgesOf(columnsOf(runs, height)), height)
  const pieces = loops.filter(({ twiceArea }) => twiceArea > 0)
  return { pieces: pieces.map(({ outline }) => outline), holes: loops.length - pieces.length }
}

function columnsOf(runs: readonly number[], height: number): Map<number, Span[]> {
  const columns = new Map<number, Span[]>()
  let at = 0
  for (const [i, run] of runs.entries()) {
    if (i % 2 === 1) {
      for (let from = at; from < at + run;) {
        const x = Math.floor(from / height)
        const end = Math.min(at + run, (x + 1) * height)
        const spans = columns.get(x) ?? []
        const [y1, y2] = [from - x * height, end - x * height]
        const last = spans.at(-1)
        // A run of no pixels outside joins what lies on either side of it.
        if (last?.[1] === y1) spans[spans.length - 1] = [last[0], y2]
        else spans.push([y1, y2])
        columns.set(x, spans)
        from = end
      }
    }
    at += run
  }
  return columns
}

/** From one corner to the next; the pixels that are inside lie to the right of the way. */
interface Edge {
  readonly x1: number
  readonly y1: number
  readonly x2: number
  readonly y2: number
}

function* edgesOf(columns: ReadonlyMap<number, readonly Span[]>): Generator<Edge> {
  for (const [x, spans] of columns) {
    for (const [y1, y2] of spans) {
      yield { x1: x, y1, x2: x + 1, y2: y1 }
      yield { x1: x + 1, y1: y2, x2: x, y2 }
    }
    for (const [y1, y2] of without(spans, columns.get(x - 1) ?? [])) yield { x1: x, y1: y2, x2: x, y2: y1 }
    for (const [y1, y2] of without(spans, columns.get(x + 1) ?? [])) yield { x1: x + 1, y1, x2: x + 1, y2 }
  }
}

/** The parts of the first that no part of the second covers; both in rising order. */
function* without(spans: readonly Span[], others: readonly Span[]): Generator<Span> {
  let k = 0
  for (const [from, to] of spans) {
    let at = from
    while (k < others.length && others[k]![1] <= from) k++
    for (let i = k; i < others.length && others[i]![0] < to; i++) {
      if (others[i]![0] > at) yield [at, others[i]![0]]
      at = Math.max(at, others[i]![1])
    }
    if (at < to) yield [at, to]
  }
}

function loopsOf(edges: Iterable<Edge>, height: number): { outline: Outline; twiceArea: number }[] {
  const key = (x: number, y: number): number => x * (height + 1) + y
  const from = new Map<number, Edge[]>()
  for (const edge of edges) {
    const at = key(edge.x1, edge.y1)
    const known = from.get(at)
    if (known) known.push(edge)
    else from.set(at, [edge])
  }
  const take = (at: number, before: Edge | null): Edge | null => {
    const here = from.get(at)
    if (!here) return null
    // Where two pixels touch at a corner, the way turns right and stays with its own pixel.
    const i = here.length > 1 && before ? here.findIndex((edge) => turn(before, edge) > 0) : 0
    const [edge] = here.splice(Math.max(0, i), 1)
    if (here.length === 0) from.delete(at)
    return edge!
  }
  const loops: { outline: number[]; twiceArea: number }[] = []
  for (const start of [...from.keys()]) {
    for (let edge = take(start, null); edge; edge = take(start, null)) {
      const outline: number[] = []
      let twiceArea = 0
      let before: Edge | null = null
      let first: Edge | null = null
      while (edge) {
        if (before && turn(before, edge) !== 0) outline.push(edge.x1, edge.y1)
        twiceArea += edge.x1 * edge.y2 - edge.x2 * edge.y1
        first ??= edge
        before = edge
        if (edge.x2 === first.x1 && edge.y2 === first.y1 && isClosed(from.get(key(first.x1, first.y1)), before, first)) break
        edge = take(key(edge.x2, edge.y2), before)
      }
      if (before && first && turn(before, first) !== 0) outline.push(first.x1, first.y1)
      loops.push({ outline, twiceArea })
    }
  }
  return loops
}

/** Back at the first corner: unless the way would rather turn into another edge that begins there. */
function isClosed(others: readonly Edge[] | undefined, before: Edge, first: Edge): boolean {
  return !others?.length || turn(before, first) > 0
}

/** Above 0 to the right (y grows downwards), below to the left, 0 straight on. */
function turn(a: Edge, b: Edge): number {
  return (a.x2 - a.x1) * (b.y2 - b.y1) - (a.y2 - a.y1) * (b.x2 - b.x1)
}
