/** What lies over what: the boxes of a phrase in the order of their list, the phrases of an image by their place in the stack. Pure. */
import type { Region } from '../../../shared/domain.ts'
import { type Shape, shapeOf } from '../../../shared/shape.ts'

export type End = 'front' | 'back'

/** The boxes with one of them over, or under, all the others; null where it is there already. */
export function arranged({ boxes, outlines }: Shape, index: number, to: End): { readonly shape: Shape; readonly index: number } | null {
  const end = to === 'front' ? boxes.length - 1 : 0
  if (index < 0 || index >= boxes.length || index === end) return null
  const moved = <T>(list: readonly T[]): readonly T[] => {
    const rest = list.filter((_, i) => i !== index)
    return to === 'front' ? [...rest, list[index]!] : [list[index]!, ...rest]
  }
  return { shape: shapeOf(moved(boxes), outlines.length > 0 ? moved(outlines) : []), index: end }
}

/** The place in the stack over, or under, all other phrases of the image; null where it is there already. */
export function stackPlace(regions: readonly Region[], regionId: string, to: End): number | null {
  const places = regions.filter(({ id }) => id !== regionId).map(({ z }) => z ?? 0)
  const own = regions.find(({ id }) => id === regionId)?.z ?? 0
  if (places.length === 0) return null
  const [low, high] = [Math.min(...places), Math.max(...places)]
  return to === 'front' ? (own > high ? null : high + 1) : own < low ? null : low - 1
}
