/**
 * The fusion layers: text meets image. Texts come grouped by image (text n looks at image floor(n / k)). The Grad-CAM pass
 * stops at one layer's attention probabilities A and goes on from them, so that what follows is a function of A and can
 * be differentiated by it, twice.
 */
import { layerParts, type Copy, type CrossSource, type KeysValues, type LayerParts } from './bert.ts'
import * as tapped from './bert-tapped.ts'
import { valueAndGradient } from './custom-op.ts'
import { once, param, type Graph, type Node } from './graph.ts'
import * as layers from './layers.ts'
import { linear } from './nn.ts'
import { variableOf } from './params.ts'
import { tf, type Tensor, type Tensor2D, type Tensor4D } from './tf.ts'
import type { ModelParams } from './types.ts'

export interface FusionInput {
  readonly params: ModelParams
  readonly copy?: Copy
  /** Texts N. */
  readonly count: number
  readonly bias: Tensor4D // [N, 1, 1, L]
  /** Keys and values by fusion layer, first fusion layer first. */
  readonly sources: readonly KeysValues[]
  /**
   * Which texts look where. Absent: all N, grouped by image. 'own': consecutive texts of which the first `imageOf.length` look
   * at the image named for each, the others grouped.
   */
  readonly imageOf?: Int32Array
}

/** Which rows come out of the last layer: all, [CLS] of each text, or the ones named (all rows still attend). */
export type Wanted = 'all' | 'first' | { readonly rows: Int32Array }

/** Self-attention of the first fusion layer: it sees the text alone, so one result serves every pass over that text. [N * L, W] */
export function fusionEntry({ params, copy = '', count, bias }: Omit<FusionInput, 'sources'>, textRows: Tensor2D): Tensor2D {
  return once('the fusion entry', [textRows, bias], (graph, input, padding) =>
    layerParts(graph, params, copy, params.config.text.fusion_layer, count).selfAttention(input, padding.value as Tensor4D),
  )
}

/** Through all fusion layers from the entry [N * L, W]. -> [N * L, W], [N, W] or [rows, W] */
export function fuse(input: FusionInput, entry: Tensor2D, wanted: Wanted): Tensor2D {
  return once('fusion', [entry, input.bias, ...flatSources(input)], (graph, x, padding, ...kv) => runFusion(graph, input, x, padding, kv, wanted))
}

/** Match logits of every text with what it looks at, [N, 2]; class 1: match. */
export function fuseToMatch(input: FusionInput, entry: Tensor2D, firstOnly: boolean): Tensor2D {
  return once('fusion and match', [entry, input.bias, ...flatSources(input)], (graph, x, padding, ...kv) => {
    const rows = layers.firstRows(graph, runFusion(graph, input, x, padding, kv, firstOnly ? 'first' : 'all'), input.count)
    return layers.linear(graph, rows, param(graph, variableOf(input.params, 'itm_head.weight')), param(graph, variableOf(input.params, 'itm_head.bias')))
  })
}

const flatSources = ({ sources }: FusionInput): Tensor[] => sources.flatMap(({ keys, values }) => [keys, values])

function runFusion(graph: Graph, input: FusionInput, entry: Node, padding: Node, kv: readonly Node[], wanted: Wanted): Node {
  const { params, copy = '', count } = input
  const bias = padding.value as Tensor4D
  const { fusion_layer: start, layers: end } = params.config.text
  let x = entry
  for (let index = start; index < end; index++) {
    const layer: LayerParts = layerParts(graph, params, copy, index, count)
    const last = index === end - 1
    if (index > start) x = layer.selfAttention(x, bias, last && wanted === 'first')
    else if (last && wanted === 'first') x = layers.firstRows(graph, x, count)
    const at = 2 * (index - start)
    x = layer.crossAttention(x, crossSources(graph, input, x.value.shape[0]!, kv[at]!, kv[at + 1]!))
    if (last && typeof wanted === 'object') x = layers.takeRows(graph, x, wanted.rows)
    x = layer.feedForward(x)
  }
  return x
}

function crossSources(graph: Graph, { count, imageOf }: FusionInput, rows: number, keys: Node, values: Node): CrossSource[] {
  if (!imageOf) return [{ rows, keys, values }]
  const own = (rows / count) * imageOf.length
  const gathered = { rows: own, keys: layers.takeSlices(graph, keys, imageOf), values: layers.takeSlices(graph, values, imageOf) }
  return own === rows ? [gathered] : [gathered, { rows: rows - own, keys, values }]
}

export interface TappedFusion {
  /** Match logits of the pairs, [N, 2] */
  readonly logits: Tensor2D
  /** Cross-attention probabilities of the Grad-CAM layer, [I, h, k * R, P] with R = L or, [CLS] alone, 1. */
  readonly attention: Tensor4D
  /** d (sum of class-1 logits) / d attention, differentiable; same shape. */
  readonly gradient: Tensor4D
}

/** The pass over matching pairs that also gives what the heatmap is made of. */
export function fuseTapped(input: FusionInput, entry: Tensor2D, tapLayer: number, firstOnly: boolean): TappedFusion {
  const { params, count, bias, sources } = input
  const { fusion_layer, layers: end } = params.config.text
  const isLast = (index: number): boolean => index === end - 1
  const layerOf = (index: number): tapped.TappedLayer => ({ params, index, count })
  const sourceOf = (index: number): KeysValues => sources[index - fusion_layer]!

  const rows = rowsBeforeTap(input, entry, tapLayer, firstOnly)
  const attention = tapped.crossProbabilities(layerOf(tapLayer), rows, sourceOf(tapLayer))
  const rest = (): Tensor2D => {
    let x = tapped.feedForward(layerOf(tapLayer), tapped.crossOutput(layerOf(tapLayer), attention, sourceOf(tapLayer), rows))
    for (let index = tapLayer + 1; index < end; index++) {
      const layer = layerOf(index)
      x = tapped.selfAttention(layer, x, bias, firstOnly && isLast(index))
      const probabilities = tapped.crossProbabilities(layer, x, sourceOf(index))
      x = tapped.feedForward(layer, tapped.crossOutput(layer, probabilities, sourceOf(index), x))
    }
    return linear(tapped.firstRows(x, count), variableOf(params, 'itm_head.weight'), variableOf(params, 'itm_head.bias'))
  }
  const chooseMatch: Tensor = tf.tile(tf.tensor2d([[0, 1]]), [count, 1])
  const { value, gradient } = valueAndGradient(rest, attention, chooseMatch)
  return { logits: value, attention, gradient: gradient as Tensor4D }
}

/** What asks in the Grad-CAM layer's cross-attention; differentiated once only. */
function rowsBeforeTap(input: FusionInput, entry: Tensor2D, tapLayer: number, firstOnly: boolean): Tensor2D {
  const { params, copy = '', count, bias } = input
  const { fusion_layer: start, layers: end } = params.config.text
  const cut = firstOnly && tapLayer === end - 1
  if (tapLayer === start) return cut ? tapped.firstRows(entry, count) : entry
  return once('fusion below the heatmap', [entry, bias, ...flatSources(input)], (graph, node, padding, ...kv) => {
    let x = node
    for (let index = start; index < tapLayer; index++) {
      const layer = layerParts(graph, params, copy, index, count)
      const [keys, values] = [kv[2 * (index - start)]!, kv[2 * (index - start) + 1]!]
      x = layer.feedForward(layer.crossAttention(x, [{ rows: x.value.shape[0]!, keys, values }]))
      x = layerParts(graph, params, copy, index + 1, count).selfAttention(x, padding.value as Tensor4D, cut && index + 1 === tapLayer)
    }
    return x
  })
}

