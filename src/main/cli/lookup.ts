/** Finds what a person named on the command line: by id, by name, or the only one there is. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { AppError, nearest } from '../../shared/errors.ts'
import type { Checkpoint, Dataset, Run } from '../../shared/domain.ts'
import type { OptionSpec } from './command.ts'
import type { EngineHandlers } from '../engine/router.ts'

interface Named {
  readonly id: string
  readonly name: string
}

/** @throws AppError 'not-found' with the nearest name; 'usage' when nothing was named and there is not exactly one */
export function pickNamed<T extends Named>(items: readonly T[], wanted: string | undefined, what: string, option: string): T {
  const names = items.map((item) => item.name).join(', ')
  if (wanted === undefined) {
    if (items.length === 1) return items[0]!
    if (items.length === 0) throw new AppError('not-found', `The project has no ${what} yet.`, what === 'dataset' ? 'Import one with `amc import`.' : '')
    throw new AppError('usage', `The project has ${items.length} ${what}s; name one with --${option}.`, `There are ${names}.`)
  }
  const byId = items.find((item) => item.id === wanted)
  if (byId) return byId
  const byName = items.filter((item) => item.name === wanted)
  if (byName.length === 1) return byName[0]!
  if (byName.length > 1) throw new AppError('usage', `${byName.length} ${what}s are called ${wanted}.`, `Name one by its id: ${byName.map((item) => item.id).join(', ')}.`)
  const near = nearest(wanted, items.map((item) => item.name))
  throw new AppError('not-found', `The project has no ${what} ${wanted}.`, near ? `Did you mean ${near}?` : items.length > 0 ? `There are ${names}.` : '')
}

export async function pickDataset(handlers: EngineHandlers, wanted: string | undefined): Promise<Dataset> {
  return pickNamed(await handlers.datasets.list({}), wanted, 'dataset', 'dataset')
}

/** For commands that take the file of a checkpoint. */
export const MODEL_OPTION: OptionSpec = { type: 'string', value: 'NAME|FILE', help: 'Sizes of the model (albef-base, ... or YAML), when a checkpoint file does not tell them.' }

/** A name of configs/model as it is, the path of a YAML file in full. */
export function modelNamed(text: string): string {
  return /[\\/]|\.ya?ml$/i.test(text) ? resolve(text) : text
}

/** By id or name; the path of a file brings that checkpoint into the project first, with the sizes of --model where it is given. */
export async function pickCheckpoint(handlers: EngineHandlers, wanted: string, option: string, note: (text: string) => void, model?: string): Promise<Checkpoint> {
  const known = await handlers.checkpoints.list({})
  if (known.some((one) => one.id === wanted || one.name === wanted) || !existsSync(resolve(wanted))) return pickNamed(known, wanted, 'checkpoint', option)
  note(`Importing ${wanted} into the project`)
  const { checkpoint, notes } = await handlers.checkpoints.import({ path: resolve(wanted), ...(model ? { modelConfig: modelNamed(model) } : {}) })
  for (const text of notes) note(text)
  return checkpoint
}

/** By id, name or number. */
export async function pickRun(handlers: EngineHandlers, wanted: string | undefined): Promise<Run> {
  const runs = await handlers.runs.list({})
  const byNumber = runs.find((run) => String(run.number) === wanted)
  return byNumber ?? pickNamed(runs, wanted, 'run', 'run')
}
