/** For tests: disks that become full. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { onTestFinished } from 'vitest'

/**
 * Makes synchronous writes of this process fail as on a full disk once so many bytes were written; removing a .safetensors file
 * gives bytesOfFile back. Returns what ends it; it ends with the test in any case.
 */
export function limitDisk(freeBytes: number, bytesOfFile: number): () => void {
  const [writeSync, rmSync] = [fs.writeSync, fs.rmSync]
  let free = freeBytes
  fs.writeSync = ((file: number, bytes: Uint8Array, offset: number, length: number, ...rest: unknown[]) => {
    if (length > free) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    free -= length
    return (writeSync as (...all: unknown[]) => number)(file, bytes, offset, length, ...rest)
  }) as typeof fs.writeSync
  fs.rmSync = (path, options) => {
    if (fs.existsSync(path) && String(path).endsWith('.safetensors')) free += bytesOfFile
    rmSync(path, options)
  }
  syncBuiltinESMExports()
  const end = (): void => {
    Object.assign(fs, { writeSync, rmSync })
    syncBuiltinESMExports()
  }
  onTestFinished(end)
  return end
}

/** Whether this user may mount a disk. */
export const canMount = (): boolean => {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' })
    return process.platform === 'linux' && process.getuid?.() === 0
  } catch {
    return false
  }
}

/** Mounts a disk of so many kilobytes at a folder that it makes, until the test has finished. */
export async function mountSmallDisk(folder: string, kilobytes: number): Promise<void> {
  await mkdir(folder)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder], { stdio: 'ignore' })
  onTestFinished(() => void execFileSync('umount', ['-l', folder], { stdio: 'ignore' }))
}
