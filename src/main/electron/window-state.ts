/** Where the window was, kept in a small file of this project. A torn or foreign file counts as none. Plain file calls: the shell also runs on Node 12. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'fs'
import { dirname } from 'path'

export interface Bounds {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface WindowState {
  readonly bounds: Bounds | null
  readonly maximized: boolean
  /** The engine's last port: the page's own settings are kept by address, so the same one is asked for again. */
  readonly port: number
}

const NONE: WindowState = { bounds: null, maximized: false, port: 0 }
const SMALLEST = { width: 800, height: 500 }
/** So much of the window must lie on some screen to be found and dragged. */
const VISIBLE_PX = 80

export function readWindowState(file: string): WindowState {
  try {
    if (!existsSync(file)) return NONE
    const data = JSON.parse(readFileSync(file, 'utf8')) as Partial<WindowState> | null
    if (typeof data !== 'object' || data === null) return NONE
    const bounds = data.bounds && [data.bounds.x, data.bounds.y, data.bounds.width, data.bounds.height].every(Number.isFinite) ? data.bounds : null
    const port = Number.isInteger(data.port) && data.port! > 1023 && data.port! < 65536 ? data.port! : 0
    return { bounds, maximized: data.maximized === true, port }
  } catch {
    return NONE
  }
}

export function writeWindowState(file: string, state: WindowState): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(`${file}.part`, JSON.stringify(state))
    renameSync(`${file}.part`, file)
  } catch {
    // Only comfort is lost: the window opens in its usual place next time.
  }
}

/** The bounds to open with: as they were when enough of them is still on a screen, else null (the usual place and size). */
export function usableBounds(bounds: Bounds | null, screens: readonly Bounds[]): Bounds | null {
  if (!bounds) return null
  const width = Math.max(SMALLEST.width, Math.round(bounds.width))
  const height = Math.max(SMALLEST.height, Math.round(bounds.height))
  const seen = screens.some((screen) => {
    const overlapX = Math.min(bounds.x + width, screen.x + screen.width) - Math.max(bounds.x, screen.x)
    const top = bounds.y >= screen.y - 8 && bounds.y < screen.y + screen.height - VISIBLE_PX
    return overlapX >= VISIBLE_PX && top
  })
  return seen ? { x: Math.round(bounds.x), y: Math.round(bounds.y), width, height } : null
}
