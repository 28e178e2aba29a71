/**
 * The saved states of a run: state/step-N.safetensors, the newest two. Each is written beside, synced and renamed, and only
 * then is an older one removed, so that whatever happens to the process or the disk a whole one is there. A state that cannot
 * be read (cut short, overwritten) is passed over in favour of the one before.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { AppError, isAppError } from '../../shared/errors.ts'
import { openSafetensors, writeSafetensors, type TensorToWrite } from '../checkpoints/safetensors.ts'
import type { HostArray, TensorFile } from '../checkpoints/tensor-file.ts'
import { explainWriteError } from './files.ts'

const STATE_NAME = /^step-(\d+)\.safetensors$/
/** Of the header: what the run wrote about the state, and the checksum over all values. */
const STATE_KEY = 'amc.runState'
const CHECKSUM_KEY = 'amc.checksum'
const STATES_KEPT = 2

export function statePath(folder: string, step: number): string {
  return join(folder, `step-${step}.safetensors`)
}

/** Steps that have a file, newest first. */
export function stateSteps(folder: string): number[] {
  if (!existsSync(folder)) return []
  const steps = readdirSync(folder).flatMap((name) => STATE_NAME.exec(name)?.[1] ?? [])
  return steps.map(Number).sort((a, b) => b - a)
}

export interface StateToWrite {
  readonly step: number
  readonly tensors: ReadonlyMap<string, TensorToWrite>
  /** Everything that is not a tensor; becomes JSON. */
  readonly info: unknown
}

/**
 * Durable when it returns. Where the disk is full, the older of the kept states gives way, and it is tried once more.
 * @throws AppError 'disk-full' that names the step which stays saved
 */
export function writeState(folder: string, { step, tensors, info }: StateToWrite): void {
  mkdirSync(folder, { recursive: true })
  const metadata = { [STATE_KEY]: JSON.stringify(info), [CHECKSUM_KEY]: checksum(dataOf(tensors)) }
  const write = (): void => writeSafetensors(statePath(folder, step), tensors, metadata)
  const before = stateSteps(folder).filter((saved) => saved < step)
  try {
    write()
  } catch (error) {
    if (!isDiskFull(error)) throw explainWriteError(error, statePath(folder, step))
    const [kept, ...older] = before
    for (const saved of older) rmSync(statePath(folder, saved), { force: true })
    try {
      if (older.length === 0) throw error
      write()
    } catch (second) {
      throw isDiskFull(second) ? diskFull(step, kept, bytesOf(tensors), folder, second) : second
    }
  }
  for (const saved of stateSteps(folder).filter((other) => other !== step).slice(STATES_KEPT - 1)) rmSync(statePath(folder, saved), { force: true })
}

function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException | null)?.code ?? '')
}

/** One after the other: values may be made when they are asked for. */
function* dataOf(tensors: ReadonlyMap<string, TensorToWrite>): Generator<HostArray> {
  for (const tensor of tensors.values()) yield tensor.data
}

function bytesOf(tensors: ReadonlyMap<string, TensorToWrite>): number {
  let sum = 0
  for (const data of dataOf(tensors)) sum += data.byteLength
  return sum
}

function diskFull(step: number, kept: number | undefined, bytes: number, folder: string, cause: unknown): AppError {
  const safe = kept === undefined ? 'Nothing of this run was saved before' : `The state after step ${kept} is whole`
  return new AppError(
    'disk-full',
    `The disk is full, so the state after step ${step} could not be saved. ${safe}.`,
    `Free at least ${Math.ceil((2 * bytes) / 1e6)} MB, then resume the run: it goes on from step ${kept ?? 0} and comes to the same result.`,
    folder,
    { cause },
  )
}

export interface SavedState {
  readonly step: number
  readonly file: TensorFile
  readonly info: unknown
}

/**
 * The newest state that is whole; the caller closes its file. Null when nothing was saved.
 * @param notes gets a sentence for each state that was passed over
 * @throws AppError 'bad-input' when there are states but none of them can be read
 */
export function openNewestState(folder: string, notes: string[] = []): SavedState | null {
  return newest(folder, notes, true)
}

/** Step of the newest state, as its header tells; 0 when nothing can be gone on from. Reads no values. */
export function savedStepIn(folder: string): number {
  try {
    const saved = newest(folder, [], false)
    saved?.file.close()
    return saved?.step ?? 0
  } catch (error) {
    if (isAppError(error)) return 0 // whoever goes on with the run is told why
    throw error
  }
}

function newest(folder: string, notes: string[], withValues: boolean): SavedState | null {
  const steps = stateSteps(folder)
  for (const step of steps) {
    try {
      return openState(statePath(folder, step), step, withValues)
    } catch (error) {
      if (!isAppError(error)) throw error
      notes.push(`The state saved after step ${step} cannot be read, so the one before it is used: ${error.message}`)
    }
  }
  if (steps.length === 0) return null
  throw new AppError('bad-input', `None of the saved states of this run can be read (after step ${steps.join(' and step ')}).`, 'Start a new run from its last checkpoint.', folder)
}

function openState(path: string, step: number, withValues: boolean): SavedState {
  const file = openSafetensors(path)
  try {
    const [text, expected] = [file.metadata[STATE_KEY], file.metadata[CHECKSUM_KEY]]
    if (text === undefined || expected === undefined) throw new AppError('bad-input', 'It is not the state of a run.', '', path)
    if (withValues && checksum(valuesOf(file)) !== expected) throw new AppError('bad-input', 'Its values were changed since it was written.', '', path)
    return { step, file, info: JSON.parse(text) }
  } catch (error) {
    file.close()
    throw error
  }
}

function* valuesOf(file: TensorFile): Generator<HostArray> {
  for (const entry of file.tensors.values()) yield entry.read().data
}

/** CRC-32 over the bytes of all values in their order. */
function checksum(values: Iterable<HostArray>): string {
  let crc = 0
  for (const data of values) crc = crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), crc)
  return crc.toString(16).padStart(8, '0')
}
