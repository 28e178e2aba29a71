/** Shapes and options that the model shares with its callers. B images, k phrases an image, N = B * k texts, L tokens. */
import type { ModelConfig } from '../../shared/config/model-config.ts'
import type { Tensor, Tensor4D, Variable } from './tf.ts'

/** Ring buffers of momentum features. Pointers live on the host: they choose where to write, never what. */
export interface FeatureQueues {
  readonly image: Variable // [E, Q]
  readonly text: Variable // [E, Q]
  imagePointer: number
  textPointer: number
}

/** All weights of one model by the reference's state-dict names; momentum copies under their `_m` names. */
export interface ModelParams {
  readonly config: ModelConfig
  readonly variables: ReadonlyMap<string, Variable>
  /** Names that are trained (no momentum copies), in a fixed order. */
  readonly trainable: readonly string[]
  readonly queues: FeatureQueues | null
}

/** Texts as rows of word-piece ids, [CLS] first, padded to one length. */
export interface TokenBatch {
  readonly ids: Int32Array // [N, L]
  readonly mask: Int32Array // [N, L], 1 for a token, 0 for padding
  readonly count: number // N
  readonly length: number // L
}

export interface TrainBatch {
  /** Normalised pixels, [B, 3, S, S]; a tensor stays the caller's to dispose. */
  readonly images: Float32Array | Tensor4D
  readonly imageCount: number
  /** k. Text n belongs to image floor(n / k). */
  readonly phrasesPerImage: number
  readonly text: TokenBatch
  /** Region mask of every text in [0, 1], [N, mask_size, mask_size]; rows without a region are not read. Null: no regions at all. */
  readonly regionMasks: Float32Array | null
  /** 1 where the text has a region, [N]. */
  readonly hasRegion: Uint8Array
  /** 1 where text n is true of image b though it belongs to another: never a negative. [N, B]; absent: only own pairs are true. */
  readonly alsoTrue?: Uint8Array
}

export interface SpecialTokens {
  readonly pad: number
  readonly cls: number
  readonly mask: number
}

export interface StepOptions {
  readonly specialTokens: SpecialTokens
  /** Weight of the momentum model's soft targets, already ramped for this step. 0 without a momentum copy. */
  readonly alpha: number
  /** The reference takes the log-softmax of the soft part over the sequence, a slip; 'vocabulary' is right. */
  readonly mlmDistillAxis: 'sequence' | 'vocabulary'
  /** Image-text contrast; on unless said otherwise. */
  readonly itc?: boolean
  /** Which other losses are on. */
  readonly itm: boolean
  readonly mlm: boolean
  readonly amc: boolean
  /** Share of ITM negatives drawn from the softmax of similarities (1: as ALBEF); the others are uniform. */
  readonly hardNegatives: number
  readonly amcWeight: number
  readonly amcMeanWeight: number
  readonly amcMaxWeight: number
  readonly amcMeanMargin: number
  readonly amcMaxMargin: number
  /** Overrides config.gradcam_layer. */
  readonly gradcamLayer?: number
  /** Compute every token of the last fusion layer although only [CLS] is read. Slower, same losses. */
  readonly fullLastLayer?: boolean
  /** Keep only what enters each layer and compute the rest again in the reverse pass: less memory, the same gradients. */
  readonly recompute?: boolean
  /** Whether the momentum copy follows in this step; on unless said otherwise. Off for all but the first batch of an update. */
  readonly followMomentum?: boolean
}

/** The published settings of one step. */
export const REFERENCE_STEP: Omit<StepOptions, 'specialTokens' | 'alpha'> = {
  mlmDistillAxis: 'sequence',
  itm: true,
  mlm: true,
  amc: true,
  hardNegatives: 1,
  amcWeight: 1,
  amcMeanWeight: 0.2,
  amcMaxWeight: 0.8,
  amcMeanMargin: 0.1,
  amcMaxMargin: 0.5,
}

/** Every random choice of a step; given ones are used as they are. */
export interface StepChoices {
  readonly mlm: { readonly inputIds: Int32Array; readonly labels: Int32Array } // [N, L]; label -100: not asked
  /** Image paired with text n as a negative; -1: none. [N] */
  readonly negativeImages: Int32Array
  /** Text paired with image floor(n / k) as a negative; -1: none. [N] */
  readonly negativeTexts: Int32Array
}

/** Unweighted losses by name; a loss that was off or had nothing to look at is absent. */
export interface LossParts {
  readonly itc?: number
  readonly itm?: number
  readonly mlm?: number
  readonly amcMean?: number
  readonly amcMax?: number
}

export interface StepResult {
  readonly total: number
  readonly parts: LossParts
  /** By parameter name; the caller disposes them (applyAdamW does). A parameter the losses do not reach is absent. */
  readonly gradients: Map<string, Tensor>
  /** What was left out of this step and why, in plain sentences. */
  readonly notes: readonly string[]
}
