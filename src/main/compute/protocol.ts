/**
 * What the engine and a compute process say to each other over Node's IPC channel (advanced serialisation). Compute never
 * opens the database: it reads files named here and answers with plain data.
 */
import type { ErrorData } from '../../shared/errors.ts'
import type { Box, Point } from '../../shared/geometry.ts'
import type { Scores, MetricRow } from '../../shared/domain.ts'

export interface BackendInfo {
  readonly library: string
  readonly device: string
  readonly gpu: boolean
  readonly whyNotGpu: string | null
  readonly threads: number
}

export interface ExplainRequest {
  /** A checkpoint file (.safetensors with its model config in the header metadata, or with modelConfigPath beside). */
  readonly checkpointPath: string
  readonly modelConfigPath?: string
  readonly imagePath: string
  readonly phrases: readonly string[]
}
export interface ExplainedPhrase {
  readonly phrase: string
  readonly grid: { readonly width: number; readonly height: number; readonly values: Float32Array }
  readonly peak: Point
  readonly matchProbability: number
  readonly layer: number
  readonly maskSize: number
  readonly tokens: readonly string[]
  readonly truncated: boolean
}
export interface ExplainResult {
  readonly phrases: readonly ExplainedPhrase[]
  readonly image: { readonly width: number; readonly height: number }
  readonly computeMs: number
}

/** One region to score, as a line of a manifest: also the form in which a run freezes its samples. */
export interface ManifestSample {
  readonly regionId: string
  readonly revision: number
  readonly imageId: string
  /** Absolute path of the image file. */
  readonly imagePath: string
  readonly width: number
  readonly height: number
  readonly phrase: string
  readonly boxes: readonly Box[]
  readonly split: string
  /** Optional knowledge for true negatives: concepts present on the image, and of the phrase (see demo/concepts.ts). */
  readonly imageConcepts?: readonly string[]
  readonly phraseConcepts?: readonly string[]
  readonly kind?: string
}

export interface ScoreRequest {
  readonly checkpointPath: string
  readonly modelConfigPath?: string
  /** JSON lines of ManifestSample. */
  readonly manifestPath: string
}
export interface ScoredRegion {
  readonly regionId: string
  readonly revision: number
  readonly scores: Scores
  readonly grid: { readonly width: number; readonly height: number; readonly values: Float32Array }
  readonly peak: Point
}

export interface TrainRequest {
  /** Holds config.yaml, manifest.jsonl; gets metrics.jsonl, log.jsonl, checkpoints/, state/. */
  readonly runDir: string
  readonly resume: boolean
}
export interface TrainProgress {
  readonly step: number
  readonly totalSteps: number
  readonly epoch: number
  readonly elapsedSeconds: number
  readonly secondsLeft: number | null
  readonly samplesPerSecond: number | null
  readonly dataWaitShare: number | null
  readonly lastSavedStep: number | null
}

export interface ComputeMethods {
  info: { request: Record<string, never>; result: BackendInfo }
  explain: { request: ExplainRequest; result: ExplainResult }
  score: { request: ScoreRequest; result: { readonly scored: number; readonly skipped: readonly { regionId: string; reason: string }[] } }
  train: { request: TrainRequest; result: { readonly state: 'finished' | 'stopped'; readonly step: number } }
}
export type ComputeMethod = keyof ComputeMethods

export type ComputeEvent =
  | { readonly type: 'score.batch'; readonly done: number; readonly total: number; readonly regions: readonly ScoredRegion[] }
  | { readonly type: 'train.progress'; readonly progress: TrainProgress }
  | { readonly type: 'train.metrics'; readonly rows: readonly MetricRow[] }
  | { readonly type: 'train.checkpoint'; readonly path: string; readonly step: number; readonly best: boolean; readonly metrics: Readonly<Record<string, number>> }
  | { readonly type: 'train.log'; readonly at: string; readonly text: string }
  | { readonly type: 'train.probes'; readonly step: number }

export type ToCompute =
  | { readonly kind: 'call'; readonly id: number; readonly method: ComputeMethod; readonly request: unknown }
  | { readonly kind: 'cancel'; readonly id: number }
export type FromCompute =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: ErrorData }
  | { readonly kind: 'event'; readonly id: number; readonly event: ComputeEvent }
