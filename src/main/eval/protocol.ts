/** What a protocol is: where its files lie, how images and phrases are prepared, and which splits count. Read from configs/eval. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, YAMLParseError } from 'yaml'
import { z } from 'zod'
import { AppError, nearest } from '../../shared/errors.ts'
import { configsDir } from '../train/presets.ts'

const paths = z.array(z.string().min(1)).min(1)

const protocolSchema = z.strictObject({
  /** The benchmark's name wherever a number of it is shown. */
  title: z.string().min(1),
  reader: z.enum(['info-ground', 'flickr30k-folders', 'refer']),
  /** Whose rule says which split counts where. */
  counts: z.enum(['flickr30k', 'refcoco+', 'refclef']),
  /** Side of the image the published models are given, px. */
  imageSize: z.int().positive(),
  /** 'linear' as OpenCV, 'bicubic' as Pillow. */
  resize: z.enum(['linear', 'bicubic']),
  /** Words of a phrase that are looked at. */
  maxWords: z.int().positive(),
  /** Exponent of the area when a detector's boxes are ranked by the heat inside. */
  detectorAlpha: z.number().min(0).default(0.5),
  /** Splits whose files are looked for: {split} in a path. */
  splits: z.array(z.string().min(1)).default([]),
  files: z.strictObject({
    ids: paths.optional(), boxes: paths.optional(), sentences: paths.optional(),
    refs: paths.optional(), instances: paths.optional(), tests: paths.optional(), detections: paths.optional(), images: paths,
  }),
})

export type Protocol = z.infer<typeof protocolSchema> & { readonly name: string }

/** The published evaluation of one's own data: images resized whole by Pillow, phrases as in scoring. */
export const VIEW = 'view'

export async function protocolNames(): Promise<string[]> {
  const files = await readdir(join(configsDir(), 'eval'))
  return [...files.filter((file) => file.endsWith('.yaml')).map((file) => file.slice(0, -'.yaml'.length)).sort(), VIEW]
}

/**
 * A protocol of configs/eval by name, or a YAML file by path.
 * @throws AppError 'usage' with the nearest name; 'bad-input' with what is wrong in a file
 */
export async function loadProtocol(nameOrPath: string): Promise<Protocol> {
  const isPath = /[\\/]|\.ya?ml$/.test(nameOrPath)
  const path = isPath ? nameOrPath : join(configsDir(), 'eval', `${nameOrPath}.yaml`)
  if (!existsSync(path)) {
    if (isPath) throw new AppError('not-found', 'There is no such file of a protocol.', 'Check its path.', path)
    const names = await protocolNames()
    const near = nearest(nameOrPath, names)
    throw new AppError('usage', `There is no protocol "${nameOrPath}".`, near ? `Did you mean "${near}"?` : `There are ${names.join(', ')}.`, 'protocol')
  }
  return { ...parseProtocol(await readFile(path, 'utf8'), path), name: isPath ? path.split(/[\\/]/).at(-1)!.replace(/\.ya?ml$/, '') : nameOrPath }
}

function parseProtocol(text: string, path: string): z.infer<typeof protocolSchema> {
  let raw: unknown
  try {
    raw = parse(text)
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error
    const at = error.linePos?.[0]
    throw new AppError('bad-input', `The protocol is not YAML: ${error.message.split('\n')[0]}`, 'Correct this line.', at ? `${path}:${at.line}:${at.col}` : path, { cause: error })
  }
  const parsed = protocolSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path: at, message }) => `${at.join('.') || 'the file'}: ${message}`)
  throw new AppError('bad-input', `The protocol cannot be used: ${faults.join('; ')}.`, 'Correct the file.', path)
}

type Counting = (split: string) => string | null

/** The key under which the published code counts a split, or null where it counts nowhere. */
export const RESULT_KEYS: Readonly<Record<Protocol['counts'], Counting>> = {
  flickr30k: (split) => (split === 'val' ? 'val_d' : split === 'test' ? 'test' : null),
  'refcoco+': (split) => (split === 'val' || split === 'testA' || split === 'testB' ? `${split}_d` : null),
  refclef: (split) => (split.includes('test') ? 'test' : split === 'val' ? 'val_d' : null),
}

/** The keys a published result always has, also when no sample counts there. Flickr30k names only what has samples. */
export const FIXED_KEYS: Readonly<Record<Protocol['counts'], readonly string[]>> = {
  flickr30k: [], 'refcoco+': ['val_d', 'testA_d', 'testB_d'], refclef: ['val_d', 'test'],
}
