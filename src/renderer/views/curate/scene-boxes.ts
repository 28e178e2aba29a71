/** The image's regions as boxes to draw and to grab: the phrase in hand in its own colour, the others in theirs. */
import type { Region } from '../../../shared/domain.ts'
import type { Box } from '../../../shared/geometry.ts'
import { outlineOf } from '../../../shared/shape.ts'
import { INK, otherColour } from '../../canvas/ink.ts'
import type { SceneBox } from '../../canvas/scene-state.ts'
import { boxMark, type Marks, markedPhrases } from './marks.ts'

export const boxKey = (regionId: string, index: number): string => `${regionId}/${index}`

/**
 * In the order of drawing: by the phrases' places in the stack, and of one place large boxes first, so that small ones lie on top of
 * them; the phrase in hand over all, its boxes in the order of their list. Colours go by
 * the order in the image.
 */
export function sceneBoxes(regions: readonly Region[], currentId: string | null, { showOthers, hidden, locked }: { readonly showOthers: boolean } & Marks): readonly SceneBox[] {
  const boxes: SceneBox[] = []
  const [hiddenIn, lockedIn] = [markedPhrases(hidden), markedPhrases(locked)]
  const add = (region: Region, color: string, editable: boolean) => {
    const has = (ids: ReadonlySet<string>, marked: ReadonlySet<string>, box: Box) => ids.has(region.id) || (marked.has(region.id) && ids.has(boxMark(region.id, box)))
    region.boxes.forEach((box, index) => {
      const outline = outlineOf(region, index)
      boxes.push({
        key: boxKey(region.id, index), regionId: region.id, index, box, editable, color, label: region.phrase, ...(has(hidden, hiddenIn, box) ? { hidden: true } : {}), ...(has(locked, lockedIn, box) ? { locked: true } : {}),
        ...(outline ? { outline } : {}),
      })
    })
  }
  let order = 0
  for (const region of regions) {
    if (region.id === currentId) continue
    const color = otherColour(order++)
    if (showOthers && !hidden.has(region.id)) add(region, color, false)
  }
  const places = new Map(regions.map(({ id, z = 0 }) => [id, z]))
  boxes.sort((a, b) => places.get(a.regionId)! - places.get(b.regionId)! || area(b.box) - area(a.box))
  const current = regions.find((region) => region.id === currentId)
  if (current) add(current, INK.truth, true)
  return boxes
}

const area = (box: Box) => Math.abs((box[2] - box[0]) * (box[3] - box[1]))

/** The other regions of the image with the colours their boxes have. */
export function otherRegions(regions: readonly Region[], currentId: string | null): readonly { readonly region: Region; readonly color: string }[] {
  return regions.filter((region) => region.id !== currentId).map((region, order) => ({ region, color: otherColour(order) }))
}
