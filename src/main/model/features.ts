/** Unit vectors of images and texts in their joint space. */
import type { Copy } from './bert.ts'
import { once, param } from './graph.ts'
import * as layers from './layers.ts'
import { variableOf } from './params.ts'
import type { Tensor2D } from './tf.ts'
import type { ModelParams } from './types.ts'

/** [CLS] of each image, projected. tokens [B * P, Wv] -> [B, E] */
export function imageFeature(params: ModelParams, tokens: Tensor2D, images: number, copy: Copy = ''): Tensor2D {
  return project(params, `vision_proj${copy}`, tokens, images)
}

/** [CLS] of each text, projected. rows [N * L, W] -> [N, E] */
export function textFeature(params: ModelParams, rows: Tensor2D, texts: number, copy: Copy = ''): Tensor2D {
  return project(params, `text_proj${copy}`, rows, texts)
}

function project(params: ModelParams, name: string, rows: Tensor2D, count: number): Tensor2D {
  return once('a projection', [rows], (graph, input) => {
    const [weight, bias] = ['weight', 'bias'].map((key) => param(graph, variableOf(params, `${name}.${key}`)))
    return layers.unitRows(graph, layers.linear(graph, layers.firstRows(graph, input, count), weight!, bias!))
  })
}
