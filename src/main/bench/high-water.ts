/** The most memory a process has held, as the system counts it. */
import { readFileSync, writeFileSync } from 'node:fs'

/** Linux keeps the highest resident size since it was last asked to forget it. */
export function resetPeak(pid: number | 'self' = 'self'): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
  } catch {
    // Another system, or not allowed: the peak is then that of the whole life.
  }
}

export function peakBytes(): number {
  return peakBytesOf('self') ?? process.resourceUsage().maxRSS * 1024
}

/** Null where the system does not tell it of another process. */
export function peakBytesOf(pid: number | 'self'): number | null {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
  } catch {
    return null
  }
}
