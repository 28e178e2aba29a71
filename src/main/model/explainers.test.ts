import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { add, identity, multiply, scaled, slowForward, slowGradient, transpose, type Attentions, type Heads, type Kind, type Matrix, type SlowAnswer, type SlowInput } from '../../../test/support/slow-model.ts'
import { describeWithTensorFlow } from '../../../test/support/tensorflow.ts'
import { EXPLAINERS, layersOf, type Explainer } from '../../shared/explainers.ts'
import { openGoldenFolder } from '../golden/folder.ts'
import { goldenSetup } from '../golden/setup.ts'
import { matchAttention, matchAttentionGradients, similarityAttentionGradients, type AttentionStack } from './attention-stack.ts'
import { encodeImages, explainHeatmaps } from './explain.ts'
import { explainPairs, type PairsInput } from './explainers.ts'
import { createRandom } from './random.ts'
import { attentionRollout, firstRowCells, gradientRollout, imageRelevance } from './rollout.ts'
import { tf, type Tensor } from './tf.ts'

const GOLDEN = join(import.meta.dirname, '../../../test/golden/small')
const TIMEOUT_MS = 300_000
/** Of each kind of attention, drawn over layers, heads, rows and columns. */
const PLACES = 20

/** What is known of one pair: attention from the slow model, gradients from the program (checked against differences first). */
interface Slow {
  readonly own: SlowInput
  readonly answer: SlowAnswer
  readonly match: Attentions
  readonly similarity: Attentions
}

let input: PairsInput
let slow: Slow[] = []

async function readGolden(): Promise<void> {
  const setup = (await goldenSetup(openGoldenFolder(GOLDEN)))!
  const { batch, inputs } = setup
  const params = await setup.load()
  input = { params, images: batch.images as Float32Array, text: batch.text, pad: inputs.special_ids.pad }
  const weights = new Map([...params.variables].map(([name, variable]) => [name, variable.dataSync<'float32'>()]))
  const size = 3 * params.config.image.size ** 2
  tf.tidy(() => {
    const [match, similarity] = [matchAttentionGradients(input).gradient!, similarityAttentionGradients(input).gradient!]
    slow = Array.from({ length: batch.text.count }, (_, n) => {
      const own: SlowInput = { config: params.config, weights, pixels: input.images.slice(n * size, (n + 1) * size), ids: ownIds(n) }
      const answer = slowForward(own)
      return { own: { ...own, patches: answer.patches }, answer, match: plain(match, n), similarity: plain(similarity, n) }
    })
  })
}

/** Of text n, its own tokens alone. */
function plain(stack: AttentionStack, n: number): Attentions {
  const words = ownIds(n).length
  const heads = (x: Tensor, rows: number | undefined, columns: number | undefined): Heads => (x.arraySync() as number[][][][])[n]!.map((head) => head.slice(0, rows).map((row) => row.slice(0, columns)))
  return {
    image: stack.image.map((x) => heads(x, undefined, undefined)), self: stack.self.map((x) => heads(x, words, words)), cross: stack.cross.map((x) => heads(x, words, undefined)),
  }
}

function ownIds(n: number): number[] {
  const { ids, mask, length } = input.text
  return Array.from({ length }, (_, t) => n * length + t).filter((i) => mask[i] === 1).map((i) => ids[i]!)
}

/** Agreement within a share of the largest value. */
function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, share = 2e-4): void {
  expect(got.length).toBe(want.length)
  const scale = Math.max(...Array.from(want, Math.abs), 1e-12)
  expect(Math.max(...Array.from(want, (value, i) => Math.abs(value - got[i]!))) / scale).toBeLessThan(share)
}

const cells = (row: readonly number[]): number[] => row.slice(1)
const mean = (rows: Matrix): number[] => rows[0]!.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / rows.length)
const each = (a: Heads, g: Heads, of: (a: number, g: number) => number): Heads => a.map((rows, h) => rows.map((row, i) => row.map((value, j) => of(value, g[h]![i]![j]!))))
const headMean = (heads: Heads): Matrix => scaled(heads.reduce(add), 1 / heads.length)
const relu = (x: number): number => Math.max(0, x)

/** One layer's map by its formula: channels are heads and words. */
function layerMap(name: Explainer['name'], a: Heads, g: Heads): number[] {
  const channels = a.flatMap((rows, h) => rows.map((row, i) => ({ a: cells(row), g: cells(g[h]![i]!) })))
  const weighted = channels.map(({ a, g }) => {
    const weight = g.reduce((sum, value) => sum + value, 0) / g.length
    return a.map((value, j) => (name === 'gradcam' ? value * relu(g[j]!) : name === 'hirescam' ? value * g[j]! : name === 'attention' ? value : value * weight))
  })
  const map = mean(weighted)
  return name === 'gradcam-classic' ? map.map(relu) : map
}

function slowRollout({ image, self, cross }: Attentions): Matrix {
  const half = (heads: Heads): Matrix => scaled(add(headMean(heads), identity(heads[0]!.length)), 0.5)
  const ii = image.map(half).reduce((product, layer) => multiply(layer, product))
  let ti = self[0]![0]!.map(() => ii[0]!.map(() => 0))
  self.forEach((heads, index) => {
    ti = multiply(half(heads), ti)
    const looked = cross[index - (self.length - cross.length)]
    if (looked) ti = scaled(add(ti, multiply(headMean(looked), ii)), 0.5)
  })
  return ti
}

const positive = (a: Heads, g: Heads): Matrix => headMean(each(a, g, (x, y) => relu(x * y)))
const grown = (a: Heads[], g: Heads[]): Matrix => a.reduce((r, heads, i) => add(r, multiply(positive(heads, g[i]!), r)), identity(a[0]![0]!.length))
function withoutResidual(r: Matrix): Matrix {
  return r.map((row, i) => {
    const added = row.map((value, j) => value - Number(i === j))
    const sum = added.reduce((x, y) => x + y, 0)
    return added.map((value, j) => (sum > 0 ? value / sum : 0) + Number(i === j))
  })
}

function slowGradientRollout(a: Attentions, g: Attentions): Matrix {
  const ii = grown(a.image, g.image)
  let tt = identity(a.self[0]![0]!.length)
  let ti = tt.map(() => ii[0]!.map(() => 0))
  a.self.forEach((heads, index) => {
    const own = positive(heads, g.self[index]!)
    ;[tt, ti] = [add(tt, multiply(own, tt)), add(ti, multiply(own, ti))]
    const at = index - (a.self.length - a.cross.length)
    if (at >= 0) ti = add(ti, multiply(transpose(withoutResidual(tt)), multiply(positive(a.cross[at]!, g.cross[at]!), withoutResidual(ii))))
  })
  return ti
}

function slowMap({ answer: { attention }, match, similarity }: Slow, { name, target, layer }: Explainer): number[] {
  if (name === 'rollout') return cells(slowRollout(attention)[0]!)
  if (name === 'gradient-rollout') return cells(target === 'itm' ? slowGradientRollout(attention, match)[0]! : grown(attention.image, similarity.image)[0]!)
  if (target === 'itc') return layerMap(name, attention.image[layer]!.map((rows) => [rows[0]!]), similarity.image[layer]!.map((rows) => [rows[0]!]))
  const at = layer - input.params.config.text.fusion_layer
  return layerMap(name, attention.cross[at]!, match.cross[at]!)
}

const everyChoice = (): Explainer[] =>
  EXPLAINERS.flatMap((facts) => facts.targets.flatMap((target) => {
    const { first, last } = layersOf(facts, target, input.params.config)
    return Array.from({ length: last - first + 1 }, (_, i) => ({ name: facts.name, target, layer: first + i }))
  }))

describeWithTensorFlow('explainers', () => {
  beforeAll(readGolden, TIMEOUT_MS)

  test('gradients by every kind of attention are those of differences', () => {
    const random = createRandom(3)
    for (const { own, match, similarity } of slow) {
      for (const [target, gradients, kinds] of [['matchLogit', match, ['image', 'self', 'cross']], ['similarity', similarity, ['image']]] as const) {
        for (const kind of kinds as readonly Kind[]) {
          const layers = gradients[kind]
          const [got, want]: [number[], number[]] = [[], []]
          for (let i = 0; i < PLACES; i++) {
            const index = i % layers.length
            const [head, row, column] = [random.below(layers[index]!.length), random.below(layers[index]![0]!.length), random.below(layers[index]![0]![0]!.length)]
            got.push(layers[index]![head]![row]![column]!)
            want.push(slowGradient(own, target, { kind, index, head, row, column }))
          }
          expect(want.some((value) => Math.abs(value) > 1e-6)).toBe(true)
          expectClose(got, want, 1e-3)
        }
      }
    }
  }, TIMEOUT_MS)

  test('every explainer, target and layer gives what plain arrays give, whatever the padding', () => {
    const choices = everyChoice()
    expect(choices.length).toBeGreaterThan(20)
    for (const choice of choices) {
      const { maps, match } = explainPairs(input, choice)
      maps.forEach((map, n) => expectClose(map, slowMap(slow[n]!, choice)))
      if (choice.target === 'itc') expect(match).toBeNull()
      else expectClose(match!, slow.map(({ answer }) => answer.matchProbability))
    }
  }, TIMEOUT_MS)

  test('several phrases of an image together, or with the image encoded before, give what each gives alone', () => {
    const size = 3 * input.params.config.image.size ** 2
    const both = { ...input, images: input.images.slice(0, size) } // two phrases, one image
    const features = encodeImages(input.params, both.images)
    for (const choice of everyChoice()) {
      const together = explainPairs({ ...both, features }, choice).maps
      together.forEach((map, n) => {
        const text = { ids: Int32Array.from(ownIds(n)), mask: new Int32Array(ownIds(n).length).fill(1), count: 1, length: ownIds(n).length }
        expectClose(map, explainPairs({ ...both, text }, choice).maps[0]!)
      })
    }
    features.dispose()
  }, TIMEOUT_MS)

  test("the usual one is AMC's own to the last bit, and leaves no tensor behind; nor do the others", () => {
    const features = encodeImages(input.params, input.images)
    const { maps } = explainHeatmaps(input.params, { features, text: input.text, padId: input.pad })
    features.dispose()
    const own = explainPairs(input, { name: 'gradcam', target: 'itm', layer: input.params.config.gradcam_layer })
    const { length, mask } = input.text
    own.maps.forEach((map, n) => {
      const factor = length / mask.slice(n * length, (n + 1) * length).reduce((a, b) => a + b, 0)
      expect([...map]).toEqual(Array.from(maps.slice(n * map.length, (n + 1) * map.length), (value) => (factor === 1 ? value : Math.fround(value * factor))))
    })
    const before = tf.memory().numTensors
    for (const choice of everyChoice()) explainPairs(input, choice)
    expect(tf.memory().numTensors).toBe(before)
  }, TIMEOUT_MS)

  test('attention sums to one in every row, and so does rollout over text and image together', () => {
    tf.tidy(() => {
      const { attention } = matchAttention(input)
      for (const one of [...attention.image, ...attention.self, ...attention.cross]) expectRowsOf(one, 1)
      const { tt, ti, ii } = attentionRollout(attention, input.text.count)
      expectRowsOf(ii, 1)
      expectRowsOf(tf.concat([tt, ti] as Tensor[], 2), 1)
      expect(tf.min(ti as Tensor).dataSync()[0]).toBeGreaterThanOrEqual(0)
    })
  })

  test('with a gradient of zero the gradient rollout stays as it began, and it never gets negative', () => {
    tf.tidy(() => {
      const { attention, gradient } = matchAttentionGradients(input)
      const zeros = (layers: AttentionStack['image']) => layers.map((one) => tf.zerosLike(one))
      const none: AttentionStack = { image: zeros(attention.image), self: zeros(attention.self), cross: zeros(attention.cross) }
      const { tt, ti, ii } = gradientRollout(attention, none, input.text.count)
      for (const own of [tt, ii]) expect(own.dataSync()).toEqual(tf.tile(tf.expandDims(tf.eye(own.shape[1]), 0), [own.shape[0], 1, 1]).dataSync())
      expect(Math.max(...ti.dataSync())).toBe(0)
      expect(Math.max(...firstRowCells(imageRelevance(attention, none)).dataSync())).toBe(0)
      const real = gradientRollout(attention, gradient!, input.text.count)
      for (const one of [real.tt, real.ti, real.ii]) expect(tf.min(one as Tensor).dataSync()[0]).toBeGreaterThanOrEqual(0)
    })
  })
})

function expectRowsOf(x: Tensor, sum: number): void {
  for (const value of tf.sum(x, -1).dataSync()) expect(Math.abs(value - sum)).toBeLessThan(1e-5)
}
