/** Layers on bare kernels, each with its reverse pass beside it. Rows are [rows, width]. Differentiable once. */
import { accumulate, emit, hold, type Graph, type Node } from './graph.ts'
import * as k from './kernels.ts'
import { tf, type Tensor } from './tf.ts'

/** x W^T + b, W [out, in] */
export function linear(graph: Graph, x: Node, weight: Node, bias: Node | null): Node {
  const w = hold(graph, weight.value)
  const input = hold(graph, x.value)
  const product = k.matMul(x.value, w, false, true)
  return emit(graph, bias ? k.biasAdd(product, bias.value) : product, (dy) => {
    accumulate(x, () => k.matMul(dy, w))
    accumulate(weight, () => k.matMul(dy, input, true, false))
    if (bias) accumulate(bias, () => k.biasGradient(dy))
  })
}

/** The same memory under its own name, for a second owner. */
const share = (x: Tensor): Tensor => tf.clone(x)

export function add(graph: Graph, a: Node, b: Node): Node {
  return emit(graph, k.add(a.value, b.value), (dy) => {
    accumulate(a, () => share(dy))
    accumulate(b, () => share(dy))
  })
}

export function layerNorm(graph: Graph, x: Node, gamma: Node, beta: Node, epsilon: number): Node {
  const centred = k.sub(x.value, k.lastMean(x.value))
  const scale = hold(graph, k.rsqrt(k.add(k.lastMean(k.square(centred)), epsilon))) // [rows, 1]
  const normal = hold(graph, k.mul(centred, scale))
  return emit(graph, k.biasAdd(k.mul(normal, gamma.value), beta.value), (dy) => {
    accumulate(gamma, () => k.biasGradient(k.mul(dy, normal)))
    accumulate(beta, () => k.biasGradient(dy))
    accumulate(x, () => {
      const d = k.mul(dy, gamma.value)
      const parallel = k.mul(normal, k.lastMean(k.mul(d, normal)))
      return k.mul(k.sub(k.sub(d, k.lastMean(d)), parallel), scale)
    })
  })
}

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI)

/**
 * W2 gelu(W1 x + b1) + b2. With u = (W1 x + b1) / sqrt(2), gelu = u (1 + erf u) / sqrt(2): both constants go into the
 * weights, which are far smaller than the rows.
 */
export function feedForward(graph: Graph, x: Node, w1: Node, b1: Node, w2: Node, b2: Node): Node {
  const c = Math.SQRT1_2
  const input = hold(graph, x.value)
  const scaled1 = hold(graph, k.mul(w1.value, c))
  const scaled2 = hold(graph, k.mul(w2.value, c))
  const u = hold(graph, k.biasAdd(k.matMul(x.value, scaled1, false, true), k.mul(b1.value, c)))
  const rise = hold(graph, k.add(k.erf(u), 1)) // 1 + erf u
  const inner = hold(graph, k.mul(u, rise))
  return emit(graph, k.biasAdd(k.matMul(inner, scaled2, false, true), b2.value), (dy) => {
    accumulate(b2, () => k.biasGradient(dy))
    accumulate(w2, () => k.mul(k.matMul(dy, inner, true, false), c))
    // d inner / d u = 1 + erf u + u 2/sqrt(pi) exp(-u^2), the constant within the exponential
    const bell = k.exp(k.subFrom(Math.log(TWO_OVER_SQRT_PI), k.square(u)))
    const du = k.mul(k.matMul(dy, scaled2), k.add(rise, k.mul(u, bell)))
    accumulate(x, () => k.matMul(du, scaled1))
    accumulate(w1, () => k.mul(k.matMul(du, input, true, false), c))
    accumulate(b1, () => k.mul(k.biasGradient(du), c))
  })
}

export function gelu(graph: Graph, x: Node): Node {
  const u = hold(graph, k.mul(x.value, Math.SQRT1_2))
  const rise = hold(graph, k.add(k.erf(u), 1))
  return emit(graph, k.mul(k.mul(u, rise), Math.SQRT1_2), (dy) =>
    accumulate(x, () => {
      const bell = k.exp(k.subFrom(Math.log(TWO_OVER_SQRT_PI), k.square(u)))
      return k.mul(k.mul(dy, k.add(rise, k.mul(u, bell))), 0.5)
    }),
  )
}

/** x / max(||x||, 1e-12) for every row. */
export function unitRows(graph: Graph, x: Node): Node {
  const inverse = hold(graph, tf.div(1, tf.maximum(tf.sqrt(k.lastSum(k.square(x.value))), 1e-12))) // [rows, 1]
  const unit = hold(graph, k.mul(x.value, inverse))
  return emit(graph, unit, (dy) => accumulate(x, () => k.mul(k.sub(dy, k.mul(unit, k.lastSum(k.mul(dy, unit)))), inverse)))
}

/** [B * T, h * d] -> [B, h, T, d] */
export function splitHeads(graph: Graph, x: Node, batch: number, heads: number): Node {
  const [rows, width] = x.value.shape as [number, number]
  const value = k.transpose(k.reshape(x.value, [batch, rows / batch, heads, width / heads]), [0, 2, 1, 3])
  return emit(graph, value, (dy) => accumulate(x, () => k.reshape(k.transpose(dy, [0, 2, 1, 3]), [rows, width])))
}

/** Rows of several matrices (or entries of several vectors) below one another. */
export function joinRows(graph: Graph, parts: readonly Node[]): Node {
  const rest = parts[0]!.value.shape.slice(1)
  return emit(graph, k.concat(parts.map((part) => part.value)), (dy) => {
    let start = 0
    for (const part of parts) {
      const rows = part.value.shape[0]!
      const begin = [start, ...rest.map(() => 0)]
      accumulate(part, () => k.slice(dy, begin, [rows, ...rest]))
      start += rows
    }
  })
}

/** The first of every L rows, [count * L, W] -> [count, W] */
export function firstRows(graph: Graph, x: Node, count: number): Node {
  const [rows, width] = x.value.shape as [number, number]
  const length = rows / count
  if (length === 1) return x
  const value = k.slice(k.reshape(x.value, [count, length * width]), [0, 0], [count, width])
  return emit(graph, value, (dy) => accumulate(x, () => k.reshape(k.pad(dy, [[0, 0], [0, (length - 1) * width]]), [rows, width])))
}

/** Consecutive rows of [rows, W]; the node itself when it is all of them. */
export function sliceRows(graph: Graph, x: Node, start: number, rows: number): Node {
  const [all, width] = x.value.shape as [number, number]
  if (start === 0 && rows === all) return x
  return emit(graph, k.slice(x.value, [start, 0], [rows, width]), (dy) =>
    accumulate(x, () => k.pad(dy, [[start, all - start - rows], [0, 0]])),
  )
}

/** Rows of [rows, W] by index. The gradient adds up by index; the index `skip` gives none (padding_idx of PyTorch). */
export function takeRows(graph: Graph, table: Node, indices: Int32Array, skip = -1): Node {
  const value = tf.gather(table.value, tf.tensor1d(indices, 'int32'))
  return emit(graph, value, (dy) =>
    accumulate(table, () => {
      const kept = skip < 0 ? indices : indices.map((index) => (index === skip ? -1 : index))
      return tf.unsortedSegmentSum(dy, tf.tensor1d(kept, 'int32'), table.value.shape[0]!)
    }),
  )
}

/** Slices of [I, ...] along the first axis by index. */
export function takeSlices(graph: Graph, x: Node, indices: Int32Array): Node {
  const [count, ...rest] = x.value.shape
  const flat = emit(graph, k.reshape(x.value, [count!, x.value.size / count!]), (dy) => accumulate(x, () => k.reshape(dy, x.value.shape)))
  const taken = takeRows(graph, flat, indices)
  return emit(graph, k.reshape(taken.value, [indices.length, ...rest]), (dy) => accumulate(taken, () => k.reshape(dy, taken.value.shape)))
}

/** Self-attention over queries, keys and values side by side, [B * T, 3 h d] -> [B * T, h d]. Bias broadcasts to [B, h, T, T]. */
export function selfAttend(graph: Graph, qkv: Node, batch: number, heads: number, bias: Tensor | null): Node {
  const [rows, width] = qkv.value.shape as [number, number]
  const split = k.transpose(k.reshape(qkv.value, [batch, rows / batch, 3, heads, width / 3 / heads]), [2, 0, 3, 1, 4])
  const [q, keys, values] = k.unstack(split) as [Tensor, Tensor, Tensor] // [B, h, T, d]
  const core = attention(graph, q, keys, values, bias)
  return emit(graph, merge(core.context), (dy) => {
    const { dq, dk, dv } = core.backward(unmerge(dy, core.context.shape))
    accumulate(qkv, () => k.reshape(k.transpose(k.stack([dq(), dk(), dv()]), [1, 3, 0, 2, 4]), [rows, width]))
  })
}

/** Attention of rows [N * R, h d] on keys and values [B, h, S, d], the rows of each of the B side by side. -> [N * R, h d] */
export function attend(graph: Graph, q: Node, keys: Node, values: Node, bias: Tensor | null): Node {
  const [batch, heads, , depth] = keys.value.shape as [number, number, number, number]
  const split = k.transpose(k.reshape(q.value, [batch, q.value.shape[0]! / batch, heads, depth]), [0, 2, 1, 3])
  const core = attention(graph, split, keys.value, values.value, bias)
  return emit(graph, merge(core.context), (dy) => {
    const { dq, dk, dv } = core.backward(unmerge(dy, core.context.shape))
    accumulate(q, () => merge(dq()))
    accumulate(keys, dk)
    accumulate(values, dv)
  })
}

/** [B, h, T, d] -> [B * T, h d] */
function merge(x: Tensor): Tensor {
  const [batch, heads, tokens, depth] = x.shape as [number, number, number, number]
  return k.reshape(k.transpose(x, [0, 2, 1, 3]), [batch * tokens, heads * depth])
}

function unmerge(x: Tensor, shape: readonly number[]): Tensor {
  const [batch, heads, tokens, depth] = shape as [number, number, number, number]
  return k.transpose(k.reshape(x, [batch, tokens, heads, depth]), [0, 2, 1, 3])
}

interface AttentionCore {
  readonly context: Tensor // [B, h, T, d]
  backward(dContext: Tensor): { dq: () => Tensor; dk: () => Tensor; dv: () => Tensor }
}

/** softmax(q k^T / sqrt(d) + bias) v */
function attention(graph: Graph, q: Tensor, keys: Tensor, values: Tensor, bias: Tensor | null): AttentionCore {
  const scale = 1 / Math.sqrt(q.shape[3]!)
  const scaled = hold(graph, k.mul(q, scale))
  const [heldKeys, heldValues] = [hold(graph, keys), hold(graph, values)]
  const scores = k.batchMatMul(scaled, keys, false, true) // [B, h, T, S]
  const probabilities = hold(graph, k.softmax(bias ? k.add(scores, bias) : scores))
  return {
    context: k.batchMatMul(probabilities, values),
    backward: (dContext) => {
      const weighted = k.mul(k.batchMatMul(dContext, heldValues, false, true), probabilities)
      const dScores = k.sub(weighted, k.mul(probabilities, k.lastSum(weighted)))
      return {
        dq: () => k.mul(k.batchMatMul(dScores, heldKeys), scale),
        dk: () => k.batchMatMul(dScores, scaled, true, false),
        dv: () => k.batchMatMul(probabilities, dContext, true, false),
      }
    },
  }
}
