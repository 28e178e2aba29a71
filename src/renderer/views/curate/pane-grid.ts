/** How several canvases of one image stand in a given space: the arrangement that draws the image largest. */
export interface PaneGrid {
  readonly columns: number
  readonly rows: number
}

/**
 * @param panes 1 or more
 * @param area CSS px for all panes together
 * @param chrome CSS px of head and foot that each pane loses in height
 * @param aspect image width / height
 */
export function bestGrid(panes: number, area: { readonly width: number; readonly height: number }, chrome: number, aspect: number): PaneGrid {
  let best: PaneGrid = { columns: panes, rows: 1 }
  let largest = -1
  for (let columns = panes; columns >= 1; columns--) {
    const rows = Math.ceil(panes / columns)
    const width = area.width / columns
    const height = area.height / rows - chrome
    const drawn = Math.min(width, height * aspect)
    // Ties go to standing side by side, where eyes compare best.
    if (drawn > largest + 0.5) {
      largest = drawn
      best = { columns, rows }
    }
  }
  return best
}
