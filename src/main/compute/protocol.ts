/**
 * What the engine and a compute process say to each other over Node's IPC channel (advanced serialisation). Compute never
 * opens the database: it reads files named here and answers with plain data.
 */
import type { ErrorData } from '../../shared/errors.ts'
import type { Scores } from '../../shared/domain.ts'
import type { ExplainerChoice } from '../../shared/explainers.ts'
import type { Point } from '../../shared/geometry.ts'
import type { TrustFigures } from '../train/trust.ts'
import type { RunEvent, RunResult, TrialEvent, TrialResult } from '../train/run-events.ts'

export type { ManifestSample } from '../../shared/manifest.ts'
export type { RunEvent, TrainProgress } from '../train/run-events.ts'

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
  /** Absent: AMC's own. */
  readonly explainer?: ExplainerChoice
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
  /** What the point and the scores that follow are called. */
  readonly protocol: string
}
export interface ExplainResult {
  readonly phrases: readonly ExplainedPhrase[]
  readonly image: { readonly width: number; readonly height: number }
  readonly computeMs: number
}

export interface ScoreRequest {
  readonly checkpointPath: string
  readonly modelConfigPath?: string
  /** JSON lines of ManifestSample. */
  readonly manifestPath: string
  /** Absent: AMC's own. */
  readonly explainer?: ExplainerChoice
}
export interface ScoredRegion {
  readonly regionId: string
  readonly revision: number
  readonly phrase: string
  readonly tokens: readonly string[]
  readonly truncated: boolean
  readonly scores: Scores
  readonly grid: { readonly width: number; readonly height: number; readonly values: Float32Array }
  readonly peak: Point
}

export interface ConvertRequest {
  /** .safetensors, or .pth of the reference. */
  readonly sourcePath: string
  /** Where our own form goes; without it nothing is written. */
  readonly targetPath?: string
  /** Name of configs/model, for a file that does not tell its sizes. */
  readonly modelConfig?: string
  readonly allowMissing: boolean
}
export interface ConvertResult {
  readonly keys: { readonly loaded: number; readonly missing: readonly string[]; readonly unexpected: readonly string[]; readonly reshaped: readonly string[] }
  /** What was taken in part or started anew, in plain sentences. */
  readonly notes: readonly string[]
  readonly modelName: string
  readonly parameters: number
  readonly sizeBytes: number
}

export interface TrustRequest {
  readonly checkpointPath: string
  readonly modelConfigPath?: string
  /** JSON lines of ManifestSample. */
  readonly manifestPath: string
  readonly explainer?: ExplainerChoice
  /** How many regions are drawn. */
  readonly samples: number
  readonly seed: number
}

export interface TrainRequest {
  /** Holds config.yaml, manifest.jsonl; gets metrics.jsonl, log.jsonl, checkpoints/, state/. */
  readonly runDir: string
  readonly resume: boolean
}
export interface ComputeMethods {
  info: { request: Record<string, never>; result: BackendInfo }
  explain: { request: ExplainRequest; result: ExplainResult }
  score: { request: ScoreRequest; result: { readonly scored: number; readonly skipped: readonly { regionId: string; reason: string }[] } }
  convert: { request: ConvertRequest; result: ConvertResult }
  trust: {
    request: TrustRequest
    /** `of`: how many regions there were to draw from. */
    result: TrustFigures & { readonly protocol: string; readonly seed: number; readonly of: number; readonly skipped: readonly { regionId: string; reason: string }[] }
  }
  train: { request: TrainRequest; result: RunResult }
  /** Steps of a run that nobody goes on with, to measure them. */
  trial: { request: { readonly runDir: string; readonly steps: number }; result: TrialResult }
}
export type ComputeMethod = keyof ComputeMethods

export type ComputeEvent =
  | { readonly type: 'score.batch'; readonly done: number; readonly total: number; readonly regions: readonly ScoredRegion[] }
  | { readonly type: 'trust.progress'; readonly done: number; readonly total: number; readonly what: string }
  | RunEvent
  | TrialEvent

export type ToCompute =
  | { readonly kind: 'call'; readonly id: number; readonly method: ComputeMethod; readonly request: unknown }
  | { readonly kind: 'cancel'; readonly id: number }
export type FromCompute =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: ErrorData }
  | { readonly kind: 'event'; readonly id: number; readonly event: ComputeEvent }
