/** The image's regions as boxes to draw and to grab: the phrase in hand in its own colour, the others in theirs. */
import type { Region } from '../../../shared/domain.ts'
import { INK, otherColour } from '../../canvas/ink.ts'
import type { SceneBox } from '../../canvas/scene.ts'

export const boxKey = (regionId: string, index: number): string => `${regionId}/${index}`

/** The phrase in hand comes last, so that it is drawn over the others. Colours go by the order in the image. */
export function sceneBoxes(regions: readonly Region[], currentId: string | null, showOthers: boolean): readonly SceneBox[] {
  const boxes: SceneBox[] = []
  let order = 0
  for (const region of regions) {
    if (region.id === currentId) continue
    const color = otherColour(order++)
    if (!showOthers) continue
    region.boxes.forEach((box, index) => boxes.push({ key: boxKey(region.id, index), regionId: region.id, index, box, editable: false, color, label: region.phrase }))
  }
  const current = regions.find((region) => region.id === currentId)
  current?.boxes.forEach((box, index) => boxes.push({ key: boxKey(current.id, index), regionId: current.id, index, box, editable: true, color: INK.truth, label: current.phrase }))
  return boxes
}

/** The other regions of the image with the colours their boxes have. */
export function otherRegions(regions: readonly Region[], currentId: string | null): readonly { readonly region: Region; readonly color: string }[] {
  return regions.filter((region) => region.id !== currentId).map((region, order) => ({ region, color: otherColour(order) }))
}
