/**
 * When the engine is killed, its job process notices, saves the run it trains and ends; that takes a step or two. Until then the
 * next engine must not train in the same folder.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

const GRACE_MS = 30_000
const fileIn = (cacheDir: string): string => join(cacheDir, 'job-process.json')

/** Notes the process that trains, for an engine that starts after this one was killed. */
export function noteWorker(cacheDir: string, pid: number | null): void {
  try {
    if (pid === null) rmSync(fileIn(cacheDir), { force: true })
    else writeFileSync(fileIn(cacheDir), JSON.stringify({ pid }))
  } catch {
    // Only a full disk; then nothing could be trained either.
  }
}

/** Waits for the process of an earlier engine; one that does not end in time is ended. */
export async function oldWorkerGone(cacheDir: string, ownPid: number | null): Promise<void> {
  let pid: number
  try {
    pid = (JSON.parse(readFileSync(fileIn(cacheDir), 'utf8')) as { pid: number }).pid
  } catch {
    return
  }
  if (pid === ownPid) return
  const giveUpMs = Date.now() + GRACE_MS
  while (isWorker(pid)) {
    if (Date.now() > giveUpMs) process.kill(pid, 'SIGKILL')
    await setTimeout(100)
  }
}

/** A number of a process may be given out again: where the system tells, only one that was started as a worker counts. */
function isWorker(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return /worker\.(ts|mjs)/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
  } catch {
    return process.platform !== 'linux'
  }
}
