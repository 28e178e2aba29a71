/**
 * When the engine is killed, its job process notices, saves the run it trains and ends; that takes a step or two. Until then the
 * next engine must not train in the same folder.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

const GRACE_MS = 30_000
const fileIn = (cacheDir: string): string => join(cacheDir, 'job-process.json')

interface Note {
  readonly pid: number
  /** As startOf told it when it was noted; null where the system does not tell. */
  readonly start: string | null
}

/** Notes the process that trains, for an engine that starts after this one was killed. */
export function noteWorker(cacheDir: string, pid: number | null): void {
  try {
    if (pid === null) rmSync(fileIn(cacheDir), { force: true })
    else writeFileSync(fileIn(cacheDir), JSON.stringify({ pid, start: startOf(pid) } satisfies Note))
  } catch {
    // Only a full disk; then nothing could be trained either.
  }
}

export interface WaitOptions {
  /** False: only waits. Else a process that is surely the noted one and has not ended in time is ended. */
  readonly end?: boolean
  readonly graceMs?: number
  /** Gives up waiting. */
  readonly signal?: AbortSignal
}

/**
 * Waits for the process of an earlier engine. Numbers of processes are given out again: one that started at another time is a
 * stranger and is not waited for; one that cannot be told apart is waited for, but never ended.
 * @returns false when it may still run
 */
export async function oldWorkerGone(cacheDir: string, ownPid: number | null, { end = true, graceMs = GRACE_MS, signal }: WaitOptions = {}): Promise<boolean> {
  const note = readNote(cacheDir)
  if (!note || note.pid === ownPid) return true
  let giveUpMs = Date.now() + graceMs
  let ended = false
  for (;;) {
    const found = recognise(note)
    if (found === 'gone') return true
    if (signal?.aborted) return false
    if (Date.now() > giveUpMs) {
      if (!end || ended || found !== 'the same') return false
      tryKill(note.pid)
      ended = true
      giveUpMs = Date.now() + GRACE_MS
    }
    await setTimeout(100)
  }
}

function readNote(cacheDir: string): Note | null {
  try {
    const { pid, start } = JSON.parse(readFileSync(fileIn(cacheDir), 'utf8')) as Partial<Note>
    return Number.isInteger(pid) && pid! > 0 ? { pid: pid!, start: start ?? null } : null
  } catch {
    return null
  }
}

function recognise({ pid, start }: Note): 'gone' | 'the same' | 'unsure' {
  try {
    process.kill(pid, 0)
  } catch {
    return 'gone' // or another user's, and then not ours
  }
  const now = startOf(pid)
  if (start === null || now === null) return 'unsure'
  return now === start ? 'the same' : 'gone'
}

/** When a process started, in words that no later process with its number shares; null where the system does not tell. */
export function startOf(pid: number): string | null {
  try {
    if (process.platform === 'win32') return null
    if (process.platform !== 'linux') return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 5000 }).trim() || null
    // The name in brackets may hold anything; the start time is the 20th field after it, counted from the start of the system.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')
    if (fields[0] === 'Z') return 'ended'
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[19]}`
  } catch {
    return null
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself a moment ago.
  }
}
