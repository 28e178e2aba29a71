/**
 * What a run was trained with, written down so that a resumed run can be sure to go on with the same: its settings, the sizes
 * of its model, its list of samples, and the image files.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import type { ModelConfig } from '../../shared/config/model-config.ts'
import { flattenConfig, parseRunConfig, type FlatSettings } from '../../shared/config/run-config.ts'
import { AppError } from '../../shared/errors.ts'
import { filePrint } from '../images/print.ts'
import { appendLines, readLines, writeWhole } from './files.ts'
import type { SampleImage } from './samples.ts'

type Plain = string | number | boolean | null

export interface RunIdentity {
  readonly settings: FlatSettings
  /** Sizes by dotted names; the vocabulary by its hash. */
  readonly model: Readonly<Record<string, Plain>>
  /** Hash of the list of samples. */
  readonly manifest: string
}

export interface IdentityInputs {
  readonly config: Parameters<typeof flattenConfig>[0]
  readonly modelConfig: ModelConfig
  readonly vocabulary: readonly string[]
  readonly manifestPath: string
}

export async function identityOf({ config, modelConfig, vocabulary, manifestPath }: IdentityInputs): Promise<RunIdentity> {
  const words = createHash('sha256').update(vocabulary.join('\n')).digest('hex').slice(0, 16)
  const { text, ...rest } = modelConfig
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(manifestPath)) hash.update(chunk as Buffer)
  return { settings: flattenConfig(config), model: flat({ ...rest, text: { ...text, vocabulary: words } }), manifest: hash.digest('hex').slice(0, 16) }
}

function flat(value: object, prefix = ''): Record<string, Plain> {
  return Object.assign(
    {},
    ...Object.entries(value).map(([name, child]) => (typeof child === 'object' && child !== null ? flat(child as object, `${prefix}${name}.`) : { [prefix + name]: child as Plain })),
  ) as Record<string, Plain>
}

/** Settings that change nothing in what a run computes: they may be changed between its parts. */
const FREE = /^(title|summary|save\..*|memory\..*)$/

/** What differs, one phrase each; empty when a run may go on. */
export function differences(before: RunIdentity, now: RunIdentity): string[] {
  // A setting that did not exist when the run was saved had the value it has by default.
  const settings = { ...flattenConfig(parseRunConfig({})), ...before.settings }
  return [
    ...changed(settings, now.settings).filter(({ key }) => !FREE.test(key)).map(({ key, text }) => `config.yaml: ${key} ${text}`),
    ...changed(before.model, now.model).map(({ key, text }) => (key === 'text.vocabulary' ? 'the vocabulary of the model is another' : `run.json: ${key} of the model ${text}`)),
    ...(before.manifest === now.manifest ? [] : ['manifest.jsonl: the list of samples is another']),
  ]
}

function changed(before: Readonly<Record<string, Plain>>, now: Readonly<Record<string, Plain>>): { key: string; text: string }[] {
  return Object.keys({ ...before, ...now })
    .filter((key) => before[key] !== now[key])
    .map((key) => ({ key, text: `is ${shown(now[key])}, was ${shown(before[key])}` }))
}

function shown(value: Plain | undefined): string {
  return value === '' ? 'empty' : String(value)
}

/** An image file as it was when the run began. */
interface FilePrint {
  /** Absent in older runs: they knew their images by the path alone. */
  readonly imageId?: string
  readonly path: string
  readonly print: string
}

/** Not readable is the same to a run. */
const MISSING = 'missing'
const TOGETHER = 16

/** Writes down the image files of a run that begins. */
export async function writePrints(path: string, images: readonly SampleImage[]): Promise<void> {
  await writeWhole(path, async (temporary) => {
    for await (const prints of printsOf(images)) await appendLines(temporary, prints)
  })
}

/** The image files that are not what they were, one phrase each. None where nothing was written down. */
export async function changedFiles(path: string, images: readonly SampleImage[]): Promise<string[]> {
  const before = new Map((await readLines<FilePrint>(path)).map(({ imageId, path: file, print }) => [imageId ?? file, print]))
  if (before.size === 0) return []
  const told: string[] = []
  for await (const prints of printsOf(images)) {
    for (const { imageId, path: file, print } of prints) {
      const was = before.get(imageId) ?? before.get(file)
      if (was === undefined || was === print) continue
      told.push(`the image ${basename(file)} ${print === MISSING ? 'is missing' : was === MISSING ? 'was missing' : 'was changed'}`)
    }
  }
  return told
}

async function* printsOf(images: readonly SampleImage[]): AsyncGenerator<Required<FilePrint>[]> {
  for (let from = 0; from < images.length; from += TOGETHER) {
    yield await Promise.all(images.slice(from, from + TOGETHER).map(async ({ imageId, path }) => ({ imageId, path, print: (await filePrint(path)) ?? MISSING })))
  }
}

const NAMED = 5

/** @throws AppError 'conflict' that names what differs */
export function refuseChanges(step: number, told: readonly string[], place: string): void {
  if (told.length === 0) return
  const rest = told.length > NAMED ? `; and ${told.length - NAMED} more` : ''
  throw new AppError(
    'conflict',
    `The run cannot go on as the one it was after step ${step}: ${told.slice(0, NAMED).join('; ')}${rest}.`,
    'Put this back as it was, or start a new run from the last checkpoint of this one.',
    place,
  )
}
