/**
 * The model once more in plain arrays of doubles, one image and one phrase, for tests: slow, and sharing no line with the program's own.
 * Attention probabilities can be changed on the way, so that derivatives by them follow from differences.
 */
import type { ModelConfig } from '../../src/shared/config/model-config.ts'

export type Matrix = number[][]
/** By head: [h][i][j]. */
export type Heads = Matrix[]
export interface Attentions {
  readonly image: Heads[]
  readonly self: Heads[]
  readonly cross: Heads[]
}
export type Kind = keyof Attentions
export interface Place {
  readonly kind: Kind
  readonly index: number
  readonly head: number
  readonly row: number
  readonly column: number
}
export interface SlowInput {
  readonly config: ModelConfig
  readonly weights: ReadonlyMap<string, Float32Array>
  /** [3, S, S] */
  readonly pixels: Float32Array
  /** Own tokens alone, no padding. */
  readonly ids: readonly number[]
  /** What an earlier pass made of the pixels. */
  readonly patches?: Matrix
}
export interface SlowAnswer {
  readonly patches: Matrix
  readonly attention: Attentions
  readonly matchLogit: number
  readonly matchProbability: number
  readonly similarity: number
}

export function slowForward(input: SlowInput, change?: Place & { readonly by: number }): SlowAnswer {
  const { config, weights, pixels, ids } = input
  const attention: Attentions = { image: [], self: [], cross: [] }
  const w = (name: string): Float32Array => {
    const found = weights.get(name)
    if (!found) throw new Error(`no weights ${name}`)
    return found
  }
  const visit = (kind: Kind, heads: Heads): Heads => {
    const index = attention[kind].length
    attention[kind].push(heads.map((rows) => rows.map((row) => [...row])))
    if (change && change.kind === kind && change.index === index) heads[change.head]![change.row]![change.column]! += change.by
    return heads
  }
  const dense = (x: Matrix, name: string): Matrix => {
    const [weight, bias] = [w(`${name}.weight`), w(`${name}.bias`)]
    const inputs = x[0]!.length
    return x.map((row) => Array.from(bias, (b, o) => row.reduce((sum, value, i) => sum + value * weight[o * inputs + i]!, b)))
  }
  const norm = (x: Matrix, name: string, epsilon: number): Matrix => {
    const [gamma, beta] = [w(`${name}.weight`), w(`${name}.bias`)]
    return x.map((row) => {
      const mean = row.reduce((a, b) => a + b, 0) / row.length
      const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length
      return row.map((value, i) => ((value - mean) / Math.sqrt(variance + epsilon)) * gamma[i]! + beta[i]!)
    })
  }
  const attend = (kind: Kind, q: Matrix, k: Matrix, v: Matrix, heads: number): Matrix => {
    const depth = q[0]!.length / heads
    const slice = (row: number[], h: number): number[] => row.slice(h * depth, (h + 1) * depth)
    const probabilities = visit(kind, Array.from({ length: heads }, (_, h) => q.map((asking) => softmax(k.map((key) => dot(slice(asking, h), slice(key, h)) / Math.sqrt(depth))))))
    return q.map((_, i) => Array.from({ length: heads }, (_, h) => Array.from({ length: depth }, (_, d) => probabilities[h]![i]!.reduce((sum, p, j) => sum + p * v[j]![h * depth + d]!, 0))).flat())
  }

  let patches: Matrix = []
  const image = imageTokens()
  let text = norm(ids.map((id, t) => {
    const [words, positions, kinds] = ['word', 'position', 'token_type'].map((name) => w(`text_encoder.bert.embeddings.${name}_embeddings.weight`))
    const width = config.text.width
    return Array.from({ length: width }, (_, i) => words![id * width + i]! + positions![t * width + i]! + kinds![i]!)
  }), 'text_encoder.bert.embeddings.LayerNorm', 1e-12)
  let textFeature: number[] = []
  for (let index = 0; index < config.text.layers; index++) {
    if (index === config.text.fusion_layer) textFeature = unit(dense([text[0]!], 'text_proj')[0]!)
    const name = `text_encoder.bert.encoder.layer.${index}`
    const block = (from: Matrix, kind: Kind, part: string): Matrix => {
      const context = attend(kind, dense(text, `${name}.${part}.self.query`), dense(from, `${name}.${part}.self.key`), dense(from, `${name}.${part}.self.value`), config.text.heads)
      return norm(add(dense(context, `${name}.${part}.output.dense`), text), `${name}.${part}.output.LayerNorm`, 1e-12)
    }
    text = block(text, 'self', 'attention')
    if (index >= config.text.fusion_layer) text = block(image, 'cross', 'crossattention')
    text = norm(add(dense(dense(text, `${name}.intermediate.dense`).map((row) => row.map(gelu)), `${name}.output.dense`), text), `${name}.output.LayerNorm`, 1e-12)
  }
  const logits = dense([text[0]!], 'itm_head')[0]!
  return { patches, attention, matchLogit: logits[1]!, matchProbability: softmax(logits)[1]!, similarity: dot(unit(dense([image[0]!], 'vision_proj')[0]!), textFeature) / w('temp')[0]! }

  function imageTokens(): Matrix {
    const { size, patch, width, depth, heads } = config.image
    const grid = size / patch
    const [kernel, bias, cls, places] = [w('visual_encoder.patch_embed.proj.weight'), w('visual_encoder.patch_embed.proj.bias'), w('visual_encoder.cls_token'), w('visual_encoder.pos_embed')]
    const cells = input.patches ?? Array.from({ length: grid * grid }, (_, cell) => {
      const [top, left] = [Math.floor(cell / grid) * patch, (cell % grid) * patch]
      return Array.from({ length: width }, (_, o) => {
        let sum = bias[o]!
        for (let c = 0; c < 3; c++) for (let y = 0; y < patch; y++) for (let x = 0; x < patch; x++) sum += kernel[((o * 3 + c) * patch + y) * patch + x]! * pixels[(c * size + top + y) * size + left + x]!
        return sum
      })
    })
    patches = cells
    let x = [Array.from(cls), ...cells].map((row, t) => row.map((value, i) => value + places[t * width + i]!))
    for (let index = 0; index < depth; index++) {
      const name = `visual_encoder.blocks.${index}`
      const qkv = dense(norm(x, `${name}.norm1`, 1e-6), `${name}.attn.qkv`)
      const part = (i: number): Matrix => qkv.map((row) => row.slice(i * width, (i + 1) * width))
      x = add(x, dense(attend('image', part(0), part(1), part(2), heads), `${name}.attn.proj`))
      x = add(x, dense(dense(norm(x, `${name}.norm2`, 1e-6), `${name}.mlp.fc1`).map((row) => row.map(gelu)), `${name}.mlp.fc2`))
    }
    return norm(x, 'visual_encoder.norm', 1e-6)
  }
}

const STEP = 1e-5

/** d target / d attention at one place, by central differences. */
export function slowGradient(input: SlowInput, target: 'matchLogit' | 'similarity', place: Place): number {
  const at = (by: number): number => slowForward(input, { ...place, by })[target]
  return (at(STEP) - at(-STEP)) / (2 * STEP)
}

export const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
export const add = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((value, j) => value + b[i]![j]!))
export const multiply = (a: Matrix, b: Matrix): Matrix => a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)))
export const transpose = (a: Matrix): Matrix => a[0]!.map((_, j) => a.map((row) => row[j]!))
export const identity = (n: number): Matrix => Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => Number(i === j)))
export const scaled = (a: Matrix, by: number): Matrix => a.map((row) => row.map((value) => value * by))

const unit = (x: number[]): number[] => x.map((value) => value / Math.sqrt(dot(x, x)))
const gelu = (x: number): number => 0.5 * x * (1 + erf(x * Math.SQRT1_2))

function softmax(x: readonly number[]): number[] {
  const high = Math.max(...x)
  const powers = x.map((value) => Math.exp(value - high))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((value) => value / sum)
}

/** Its power series, good to 1e-9 up to 4; beyond, 1 is. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x)
  let [term, sum] = [x, x]
  for (let n = 1; n < 80; n++) {
    term *= -(x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}
