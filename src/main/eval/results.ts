/**
 * Results as files: one JSON a checkpoint, whole or absent, and a line in log.jsonl for each that was computed. A result that is
 * there and was made of the same checkpoint, data and settings is not computed again.
 */
import { createHash } from 'node:crypto'
import { appendFile, open, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { explainWriteError, writeText } from '../train/files.ts'
import type { SampleResult } from './types.ts'
import type { SplitSummary } from './run.ts'

/** Everything a number depends on besides the checkpoint. */
export interface ResultSettings {
  readonly protocol: string
  /** The metric under `published`. */
  readonly main: string
  readonly mode: string
  readonly layer: number
  /** Side of the image the model was given, px. */
  readonly imageSize: number
  readonly resize: string
  readonly maxWords: number
  readonly maxTokens: number
  readonly detectorAlpha: number | null
  /** Of the names and contents of the annotation files, and of the folder of the images' name. */
  readonly data: string
  /** Splits that were asked for; null: all. */
  readonly splits: readonly string[] | null
  /** Deletion and insertion curves were made too. */
  readonly curves?: boolean
}

export interface EvaluationResult {
  readonly format: 'amc-evaluation'
  readonly version: 1
  readonly title: string
  readonly checkpoint: { readonly name: string; readonly fingerprint: string; readonly model: string }
  readonly settings: ResultSettings
  readonly files: readonly { readonly path: string; readonly sha256: string }[]
  /** As the published script prints it: the main metric (settings.main) by its keys. Null for a key without samples. */
  readonly published: Readonly<Record<string, number | null>>
  /** The same for the detector's boxes; absent without them. */
  readonly publishedDetections?: Readonly<Record<string, number | null>>
  readonly splits: readonly SplitSummary[]
  /** What the metrics are called. */
  readonly metrics: Readonly<Record<string, string>>
  /** Images without a usable heatmap. Their phrases count as misses. */
  readonly unreadable: readonly { readonly image: string; readonly reason: string; readonly samples: number }[]
  readonly notes: readonly string[]
  readonly seconds: number
  readonly finishedAt: string
  readonly samples: readonly SampleResult[]
}

const CHUNK = 65_536
const CHUNKS = 64

/**
 * Tells checkpoints apart without reading gigabytes: size, and 64 places of the file. Training changes all weights, so two
 * checkpoints of a run differ nearly everywhere.
 */
export async function fingerprintOf(path: string): Promise<string> {
  const { size } = await stat(path)
  const hash = createHash('sha256').update(String(size))
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.alloc(CHUNK)
    const step = Math.max(CHUNK, Math.floor((size - CHUNK) / (CHUNKS - 1)))
    for (let i = 0, at = 0; i < CHUNKS && at < size; i++, at += step) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, at)
      hash.update(buffer.subarray(0, bytesRead))
    }
    const { bytesRead } = await file.read(buffer, 0, CHUNK, Math.max(0, size - CHUNK))
    hash.update(buffer.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

/** NAME.PROTOCOL.MODE-layerK.json, with '.boxes' for a detector's boxes as the main number: the checkpoint's whole name, so that best.pth and best.safetensors stay apart. */
export function resultPath(outDir: string, checkpointPath: string, { protocol, main, mode, layer }: Pick<ResultSettings, 'protocol' | 'main' | 'mode' | 'layer'>): string {
  return join(outDir, `${basename(checkpointPath)}.${protocol}${main === 'pointing' ? '' : '.boxes'}.${mode}-layer${layer}.json`)
}

export const LOG = 'log.jsonl'

/** The result if it was made of just this; else null with what is different, in words (null when there was none). */
export async function keptResult(path: string, fingerprint: string, settings: ResultSettings): Promise<{ result: EvaluationResult | null; why: string | null }> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { result: null, why: null }
    throw error
  }
  let kept: EvaluationResult
  try {
    kept = JSON.parse(text) as EvaluationResult
  } catch {
    return { result: null, why: 'the result there is not whole' }
  }
  if (kept.format !== 'amc-evaluation' || kept.version !== 1) return { result: null, why: 'the file there is no result of this version' }
  if (kept.checkpoint.fingerprint !== fingerprint) return { result: null, why: 'the checkpoint has changed since' }
  const other = Object.keys(settings).filter((key) => JSON.stringify(kept.settings[key as keyof ResultSettings]) !== JSON.stringify(settings[key as keyof ResultSettings]))
  return other.length === 0 ? { result: kept, why: null } : { result: null, why: `it was made with other settings (${other.join(', ')})` }
}

/** One sample a line, so that a person can read and compare the file. */
export async function writeResult(path: string, result: EvaluationResult): Promise<void> {
  const { samples, ...rest } = result
  const head = JSON.stringify(rest, null, 1).replace(/\n\}$/, '')
  await writeText(path, `${head},\n "samples": [\n${samples.map((sample) => `  ${JSON.stringify(sample)}`).join(',\n')}\n ]\n}\n`)
}

/** What a line of the log says: the published keys beside the names of what was evaluated. */
export async function writeLogLine(outDir: string, { checkpoint, settings, published, publishedDetections, samples, unreadable, seconds, finishedAt }: EvaluationResult): Promise<void> {
  const { protocol, main, mode, layer, imageSize } = settings
  const line = {
    at: finishedAt, checkpoint: checkpoint.name, protocol, main, mode, layer, imageSize, ...published, ...(publishedDetections ? { detections: publishedDetections } : {}),
    samples: samples.length, unreadable: unreadable.reduce((sum, one) => sum + one.samples, 0), seconds,
  }
  const path = join(outDir, LOG)
  try {
    await appendFile(path, `${JSON.stringify(line)}\n`)
  } catch (error) {
    throw explainWriteError(error, path)
  }
}
