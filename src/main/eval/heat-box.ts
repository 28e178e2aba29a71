/** A box out of a heatmap: the frame of its largest hot patch. */
import type { HeatGrid } from '../../shared/consistency.ts'
import type { Box, Size } from '../../shared/geometry.ts'

/** Hot is what reaches this share of the map's maximum. */
export const HOT_SHARE = 0.5

/**
 * @param map normalised and upsampled, as prepareHeat makes it
 * @param size of the image the box is for
 * @returns the frame of the largest 4-connected hot patch (of equals the first in row-major order); null for a map without heat
 */
export function boxOfHeat(map: HeatGrid, size: Size): Box | null {
  const { width, height, values } = map
  let high = 0
  for (let i = 0; i < values.length; i++) high = Math.max(high, values[i]!)
  if (!(high > 0)) return null
  const isOpen = Uint8Array.from(values, (value) => (value >= HOT_SHARE * high ? 1 : 0))
  let best: { cells: number; frame: Box } | null = null
  for (let start = 0; start < isOpen.length; start++) {
    if (!isOpen[start]) continue
    const patch = takePatch(isOpen, width, height, start)
    if (!best || patch.cells > best.cells) best = patch
  }
  const [x1, y1, x2, y2] = best!.frame
  const [sx, sy] = [size.width / width, size.height / height]
  return [x1 * sx, y1 * sy, x2 * sx, y2 * sy]
}

/** The patch that holds `start`, in cells of the map; its cells are closed. */
function takePatch(isOpen: Uint8Array, width: number, height: number, start: number): { cells: number; frame: Box } {
  let [cells, x1, y1, x2, y2] = [0, width, height, 0, 0]
  const waiting = [start]
  isOpen[start] = 0
  while (waiting.length > 0) {
    const at = waiting.pop()!
    const [x, y] = [at % width, Math.floor(at / width)]
    cells++
    x1 = Math.min(x1, x)
    y1 = Math.min(y1, y)
    x2 = Math.max(x2, x + 1)
    y2 = Math.max(y2, y + 1)
    const visit = (next: number, isThere: boolean): void => {
      if (!isThere || !isOpen[next]) return
      isOpen[next] = 0
      waiting.push(next)
    }
    visit(at - 1, x > 0)
    visit(at + 1, x < width - 1)
    visit(at - width, y > 0)
    visit(at + width, y < height - 1)
  }
  return { cells, frame: [x1, y1, x2, y2] }
}
