/** Our heatmaps of the evaluation's images and phrases, by batches and one by one. */
import type { TensorFile } from '../checkpoints/tensor-file.ts'
import { encodeImages, explainTensors } from '../model/explain.ts'
import type { ModelParams, TokenBatch } from '../model/types.ts'
import { floatsOf } from './folder.ts'
import { modelTokenizer, type GoldenSetup } from './setup.ts'

export const LIST = 'eval.json'
export const POINTS = 'eval_flickr_end2end.json'

export interface EvalJson {
  readonly eval_image_res: number
  readonly grid: number
  readonly phrases: readonly string[]
  readonly pre_captions: readonly string[]
  readonly token_lengths: readonly (readonly number[])[]
  readonly batch_size: number
  readonly renamed: Readonly<Record<string, string>>
  readonly missing?: readonly string[]
  readonly unexpected?: readonly string[]
  readonly single_over_batched_ratio?: readonly number[]
  readonly queue_size_mismatch?: string
  readonly refclef_result_fields?: ResultFields
  readonly flickr_result_fields?: ResultFields
}

/** The first entry of a result file; `pred` by its shape. */
export interface ResultFields {
  readonly ref_id: number
  readonly pred: readonly number[]
  readonly split: string
  readonly image_path?: string
  readonly image_height?: number
  readonly image_width?: number
}

/** The evaluation at work: the model at its image size, the file of what was recorded. */
export interface Evaluation {
  readonly setup: GoldenSetup
  readonly params: ModelParams
  readonly file: TensorFile
  readonly json: EvalJson
}

/** Pixels of `count` images from the given one on. */
export function imagesOf({ file, json }: Evaluation, from: number, count: number): Float32Array {
  const size = 3 * json.eval_image_res ** 2
  return floatsOf(file, 'images').subarray(from * size, (from + count) * size)
}

/** Attention, its gradient, the match logits and the maps of one batch, by the names they are recorded under. */
export function crossAttention({ params, setup }: Evaluation, images: Float32Array, text: TokenBatch, layer: number): Record<string, ArrayLike<number> & Iterable<number>> {
  const features = encodeImages(params, images)
  const { attention, gradient, logits, map } = explainTensors(params, { features, text, padId: setup.inputs.special_ids.pad, layer }, false)
  const values = { attn_map: attention.dataSync(), attn_grad: gradient.dataSync(), vl_output: logits.dataSync(), pred: map.dataSync() }
  features.dispose()
  return values
}

/** Phrases one at a time with the configured layer. */
export function singleMaps(evaluation: Evaluation): number[][] {
  const { json, setup } = evaluation
  const tokenizer = modelTokenizer(setup)
  return json.pre_captions.map((phrase, n) => {
    const text = tokenizer.encodeBatch([phrase])
    return [...crossAttention(evaluation, imagesOf(evaluation, n, 1), text, setup.config.gradcam_layer)['pred']!]
  })
}

/** All phrases in the evaluation's batches, padded to the longest of each, with the configured layer. */
export function batchedMaps(evaluation: Evaluation): number[][] {
  const { json, setup } = evaluation
  const tokenizer = modelTokenizer(setup)
  const cells = json.grid ** 2
  const maps: number[][] = []
  while (maps.length < json.pre_captions.length) {
    const text = tokenizer.encodeBatch(json.pre_captions.slice(maps.length, maps.length + json.batch_size))
    const values = [...crossAttention(evaluation, imagesOf(evaluation, maps.length, text.count), text, setup.config.gradcam_layer)['pred']!]
    for (let n = 0; n < text.count; n++) maps.push(values.slice(n * cells, (n + 1) * cells))
  }
  return maps
}
