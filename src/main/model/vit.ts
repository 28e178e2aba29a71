/** The image encoder: patches or a convolutional stem, [CLS], learned positions, pre-LayerNorm transformer blocks. */
import { gridSide } from '../../shared/config/model-config.ts'
import { attentionProbabilities, mergeHeads } from './attention.ts'
import { once, param, settleLike, type Node } from './graph.ts'
import * as layers from './layers.ts'
import { gelu, layerNorm, linear } from './nn.ts'
import { variableOf } from './params.ts'
import { convStem } from './stem.ts'
import { tf, type Tensor, type Tensor2D, type Tensor3D, type Tensor4D, type Variable } from './tf.ts'
import type { ModelParams } from './types.ts'

export const VIT_EPSILON = 1e-6

/** @param images [B, 3, S, S] -> tokens after the last norm, [CLS] first: [B * (1 + g * g), width] */
export function encodeImage(params: ModelParams, images: Tensor4D, copy: '' | '_m' = ''): Tensor2D {
  const { image } = params.config
  const batch = images.shape[0]
  let x = embedImage(params, images, copy)
  for (let i = 0; i < image.depth; i++) x = block(params, i, x, batch, copy)
  return finalNorm(params, x, copy)
}

/** Tokens before the first block: [B * T, width] */
export function embedImage(params: ModelParams, images: Tensor4D, copy: '' | '_m' = ''): Tensor2D {
  const { image } = params.config
  const prefix = `visual_encoder${copy}`
  const batch = images.shape[0]
  const tokens = gridSide(params.config) ** 2 + 1
  const cells = image.stem === 'patch' ? patchStem(params, images, prefix) : convStem(params, images, prefix)
  const first = tf.add(tf.zeros([batch, 1, image.width]), variableOf(params, `${prefix}.cls_token`)) // [B, 1, W]
  const sequence = tf.concat([first as Tensor3D, tf.reshape(cells, [batch, tokens - 1, image.width])], 1)
  const rows = tf.reshape(tf.add(sequence, variableOf(params, `${prefix}.pos_embed`)), [batch * tokens, image.width]) as Tensor2D
  return settleLike(rows, cells, variableOf(params, `${prefix}.cls_token`), variableOf(params, `${prefix}.pos_embed`))
}

/** [B, 3, S, S] -> [B * g * g, width], cells in row-major order */
function patchStem(params: ModelParams, images: Tensor4D, prefix: string): Tensor2D {
  const { patch } = params.config.image
  const [batch, channels, side] = images.shape
  const grid = side / patch
  const split = tf.reshape(images as Tensor, [batch, channels, grid, patch, grid, patch])
  const patches = tf.reshape(tf.transpose(split, [0, 2, 4, 1, 3, 5]), [batch * grid * grid, channels * patch * patch])
  const [weight, bias] = [variableOf(params, `${prefix}.patch_embed.proj.weight`), variableOf(params, `${prefix}.patch_embed.proj.bias`)]
  return settleLike(linear(patches as Tensor2D, weight, bias), weight, bias) // pixels do not learn
}

/** One transformer block as one operation, differentiable once. [B * T, W] */
function block(params: ModelParams, index: number, x: Tensor2D, batch: number, copy: '' | '_m'): Tensor2D {
  const { heads } = params.config.image
  return once('an image block', [x], (graph, input) => {
    const p = (key: string): Node => param(graph, variableOf(params, `visual_encoder${copy}.blocks.${index}.${key}`))
    const norm = (node: Node, key: string): Node => layers.layerNorm(graph, node, p(`${key}.weight`), p(`${key}.bias`), VIT_EPSILON)
    const qkv = layers.linear(graph, norm(input, 'norm1'), p('attn.qkv.weight'), p('attn.qkv.bias'))
    const context = layers.selfAttend(graph, qkv, batch, heads, null)
    const attended = layers.add(graph, input, layers.linear(graph, context, p('attn.proj.weight'), p('attn.proj.bias')))
    const inner = layers.feedForward(graph, norm(attended, 'norm2'), p('mlp.fc1.weight'), p('mlp.fc1.bias'), p('mlp.fc2.weight'), p('mlp.fc2.bias'))
    return layers.add(graph, attended, inner)
  })
}

/** The block in parts that may be looked into and differentiated again: attention and what follows from it. */
export function tappedBlock(params: ModelParams, index: number, x: Tensor2D, batch: number) {
  const name = `visual_encoder.blocks.${index}`
  const v = (key: string): Variable => variableOf(params, `${name}.${key}`)
  const { heads, width } = params.config.image
  const dense = (input: Tensor2D, key: string): Tensor2D => linear(input, v(`${key}.weight`), v(`${key}.bias`))
  const norm = (input: Tensor2D, key: string): Tensor2D => layerNorm(input, v(`${key}.weight`), v(`${key}.bias`), VIT_EPSILON)
  const qkv = dense(norm(x, 'norm1'), 'attn.qkv') // [B * T, 3 W]
  const split = tf.transpose(tf.reshape(qkv as Tensor, [batch, -1, 3, heads, width / heads]), [2, 0, 3, 1, 4]) // [3, B, h, T, d]
  const [query, key, value] = tf.unstack(split) as [Tensor4D, Tensor4D, Tensor4D]
  const attention = attentionProbabilities(query, key, null) // [B, h, T, T]
  const rest = (probabilities: Tensor4D): Tensor2D => {
    const attended = tf.add(x, dense(mergeHeads(tf.matMul(probabilities, value) as Tensor4D), 'attn.proj')) as Tensor2D
    return tf.add(attended, dense(gelu(dense(norm(attended, 'norm2'), 'mlp.fc1')), 'mlp.fc2'))
  }
  return { attention, rest }
}

export function finalNorm(params: ModelParams, x: Tensor2D, copy: '' | '_m' = ''): Tensor2D {
  const name = `visual_encoder${copy}.norm`
  return once('the last image norm', [x], (graph, input) => {
    const p = (key: string): Node => param(graph, variableOf(params, `${name}.${key}`))
    return layers.layerNorm(graph, input, p('weight'), p('bias'), VIT_EPSILON)
  })
}
