/**
 * How many values a training step keeps alive, found by walking through its operations in order, forward and back, with their shapes
 * alone. Follows the code: layers.ts for what an operation holds, graph.ts for when it is let go, step-losses.ts for the order.
 * memory.test.ts holds it against TensorFlow's own count.
 */
import { gridSide, type ModelConfig } from '../../shared/config/model-config.ts'
import { parameterSpecs } from './params.ts'

/** What a step looks at. */
export interface StepSizes {
  readonly model: ModelConfig
  readonly images: number
  /** Phrases an image. */
  readonly phrases: number
  /** Word pieces of the longest phrase of a batch. */
  readonly tokens: number
  readonly itm: boolean
  readonly mlm: boolean
  readonly amc: boolean
  /** Soft targets of the momentum copy are on. */
  readonly distilled: boolean
  readonly mlmDistillAxis: 'sequence' | 'vocabulary'
  readonly recompute: boolean
  readonly frozen: ReadonlySet<string>
}

/** Values, not bytes, of one operation of the tape. */
interface Op {
  /** Kept from the forward to the reverse pass. */
  readonly held: number
  /** Its result; the gradient of the result is as large and stays until the end of the reverse pass. */
  readonly output: number
  /** Alive only while it runs, beyond held and output. */
  readonly forward: number
  readonly reverse: number
  /** Parameters of these name prefixes get their gradients here. */
  readonly learns: readonly string[]
  /** One operation of ours (graph.ts), which can be recomputed; else several of tfjs'. */
  readonly whole: boolean
}

/** Most values alive at once beyond weights, moments, queues and batch: activations and gradients together. */
export function stepPeakValues(sizes: StepSizes): number {
  const specs = parameterSpecs(sizes.model).map(({ name, shape }) => ({ name, size: shape.reduce((product, n) => product * n, 1) }))
  const learning = specs.filter(({ name }) => !sizes.frozen.has(name))
  let settled = true // nothing learned so far, from the pixels and words upwards
  let [held, outputs, peak] = [0, 0, 0]
  const ops = stepOps(sizes).map((op) => {
    const learned = learning.filter(({ name }) => op.learns.some((prefix) => name.startsWith(prefix)))
    const starts = op.learns.some((prefix) => prefix.includes('embed')) // text and image begin anew
    settled = (settled || starts) && learned.length === 0
    const kept = settled ? 0 : op.whole && sizes.recompute ? op.output : op.held
    const again = op.whole && sizes.recompute && !settled ? op.held + op.forward : 0
    peak = Math.max(peak, held + outputs + op.held + op.output + op.forward)
    held += kept
    outputs += op.output
    return { ...op, kept, again, learned, settled }
  })
  // The results themselves are let go when the forward pass ends; what is held goes as the reverse pass reaches it.
  const seen = new Set<string>()
  let grown = 0
  for (const op of ops.reverse()) {
    if (op.settled) continue
    const fresh = op.learned.reduce((sum, { size }) => sum + size, 0) // before it is added to what other passes gave
    peak = Math.max(peak, held + grown + op.again + fresh + op.reverse)
    held -= op.kept
    grown += op.output
    for (const { name, size } of op.learned) {
      if (!seen.has(name)) grown += size
      seen.add(name)
    }
    peak = Math.max(peak, held + grown)
  }
  return peak
}

function stepOps(sizes: StepSizes): Op[] {
  const { model, images, phrases, tokens, itm, mlm, amc, distilled } = sizes
  const { image, text, embed_dim: embed, queue_size: queue, gradcam_layer: tap, mask_size: mask } = model
  const texts = images * phrases
  const cells = gridSide(model) ** 2 + 1
  const [imageRows, textRows] = [images * cells * image.width, texts * tokens * text.width]
  const textInner = (textRows / text.width) * text.intermediate
  const layer = (index: number): string => `text_encoder.bert.encoder.layer.${index}.`
  const fusionLayers = Array.from({ length: text.layers - text.fusion_layer }, (_, i) => text.fusion_layer + i)
  const crossMap = texts * text.heads * tokens * cells
  const selfMap = texts * text.heads * tokens * tokens

  const imageInner = imageRows * image.mlp_ratio
  const imageMap = images * image.heads * cells * cells
  const imageWeights = 2 * image.width ** 2 * image.mlp_ratio // scaled copies of the feed-forward weights
  const textWeights = 2 * text.width * text.intermediate
  const joined = 3 * text.width ** 2 // query, key and value weights below one another

  const block = (index: number): Op => ({
    held: 8 * imageRows + 3 * imageInner + imageMap + imageWeights,
    output: imageRows,
    forward: 23 * imageRows + 2 * imageInner + imageMap,
    reverse: 3 * imageRows + Math.max(7 * imageInner + 2 * imageWeights, 10 * imageRows + 4 * imageMap),
    learns: [`visual_encoder.blocks.${index}.`],
    whole: true,
  })
  const both = mlm ? 2 : 1 // the texts as they are and with words masked go through together
  const textLayer = (index: number): Op => ({
    held: both * (8 * textRows + 3 * textInner + selfMap) + textWeights + joined,
    output: both * textRows,
    forward: both * (23 * textRows + 2 * textInner + 2 * selfMap) + joined,
    reverse: both * (3 * textRows + Math.max(7 * textInner, 10 * textRows + 4 * selfMap)) + 2 * textWeights + joined,
    learns: [layer(index)],
    whole: true,
  })
  const entry: Op = {
    held: both * (6 * textRows + selfMap) + joined,
    output: 3 * both * textRows, // and its halves
    forward: both * (15 * textRows + 2 * selfMap) + joined,
    reverse: both * (13 * textRows + 4 * selfMap) + joined,
    learns: [`${layer(text.fusion_layer)}attention.`],
    whole: true,
  }
  const sourceValues = images * cells * text.width
  const source = (index: number, kind: string): Op => ({
    held: 0,
    output: sourceValues,
    forward: 2 * sourceValues,
    reverse: 2 * sourceValues + imageRows,
    learns: [`${layer(index)}crossattention.self.${kind}`],
    whole: true,
  })

  /** A pass of `count` times the texts through fusion layers; `gathered`: of how many texts the image's keys and values are copied. */
  const fusion = (count: number, layers: readonly number[], gathered: number, extra: readonly string[], lastShort: boolean): Op => {
    const perLayer = layers.map((index) => {
      const first = index === text.fusion_layer
      const short = lastShort && index === text.layers - 1
      const rows = count * (short ? textRows / tokens : textRows) // what asks
      const inner = (rows / text.width) * text.intermediate
      const [cross, self] = [(count * crossMap) / (short ? tokens : 1), (count * selfMap) / (short ? tokens : 1)]
      const sources = 2 * gathered * cells * text.width
      return {
        held: (first ? 0 : 3 * rows + 3 * count * textRows + self + joined) + 6 * rows + cross + sources + 3 * inner + textWeights,
        work: (first ? 0 : 9 * rows + 6 * count * textRows + 2 * self) + 21 * rows + cross + sources + 2 * inner,
        reverse: Math.max(7 * inner + 2 * textWeights, 10 * rows + 4 * cross + 2 * sources),
      }
    })
    const sum = (of: (one: (typeof perLayer)[number]) => number): number => perLayer.reduce((total, one) => total + of(one), 0)
    return {
      held: sum((one) => one.held),
      output: count * textRows,
      forward: sum((one) => one.work),
      reverse: Math.max(0, ...perLayer.map((one) => one.reverse)) + 2 * layers.length * sourceValues + 3 * count * textRows,
      learns: [...layers.map(layer), ...extra],
      whole: true,
    }
  }

  const ops: Op[] = []
  const plain = (held: number, output: number, learns: readonly string[] = []): Op => ({ held, output, forward: 0, reverse: 0, learns, whole: false })
  ops.push({ held: imageRows + images * 3 * image.size ** 2, output: 4 * imageRows, forward: imageRows, reverse: 4 * imageRows, learns: ['visual_encoder.cls_token', 'visual_encoder.pos_embed', 'visual_encoder.patch_embed', 'visual_encoder.stem'], whole: false })
  for (let index = 0; index < image.depth; index++) ops.push(block(index))
  ops.push({ held: 2 * imageRows, output: imageRows, forward: 5 * imageRows, reverse: 5 * imageRows, learns: ['visual_encoder.norm.'], whole: true })
  const words = text.vocab_size * text.width
  ops.push({ held: 2 * both * textRows, output: both * textRows, forward: 7 * both * textRows, reverse: 2 * words + 5 * both * textRows, learns: ['text_encoder.bert.embeddings.'], whole: true })
  for (let index = 0; index < text.fusion_layer; index++) ops.push(textLayer(index))
  if (itm || amc || mlm) ops.push(entry)
  const compared = queue + (images + texts) / 2
  const columns = queue > 0 ? 2 * embed * compared : 0
  ops.push(plain(columns + (distilled ? 8 : 4) * (images + texts) * compared, 6 * (images + texts) * compared, ['temp', 'vision_proj.', 'text_proj.']))
  if (!itm && !amc && !mlm) return ops
  for (const index of fusionLayers) for (const kind of ['key', 'value']) ops.push(source(index, kind))
  if (amc) {
    if (tap > text.fusion_layer) ops.push(fusion(1, fusionLayers.filter((index) => index < tap), 0, [`${layer(tap)}attention.`], false))
    // Twice differentiable operations of tfjs: forward, the gradient within, and the gradient of both.
    const above = text.layers - tap
    const forward = above * (19 * textRows + 2 * textInner + 3 * crossMap) + (above - 1) * (16 * textRows + 3 * selfMap)
    const tapped = fusionLayers.filter((index) => index >= tap).map(layer)
    ops.push(plain(3 * forward, 4 * forward, [...tapped, 'itm_head.']))
    ops.push(plain(6 * texts * mask ** 2, 5 * texts * mask ** 2))
  } else if (itm) ops.push(fusion(1, fusionLayers, 0, ['itm_head.'], true))
  if (itm) ops.push(fusion(2, fusionLayers, texts, ['itm_head.'], true))
  if (mlm) {
    ops.push(fusion(1, fusionLayers, 0, [], false))
    const everywhere = distilled && sizes.mlmDistillAxis === 'sequence'
    const asked = Math.max(1, texts * tokens * model.mlm_probability)
    const logits = (everywhere ? texts * tokens : asked) * text.vocab_size
    const soft = distilled ? asked * text.vocab_size : 0
    ops.push({
      held: 5 * (everywhere ? textRows : asked * text.width) + soft, output: logits, forward: 4 * logits + 2 * soft,
      reverse: words + 4 * logits + 2 * soft, learns: ['text_encoder.cls.', 'text_encoder.bert.embeddings.word_embeddings'], whole: true,
    })
  }
  return ops
}

/** Most values alive while images are encoded and phrases explained, beyond the weights. */
export function encodePeakValues(model: ModelConfig, images: number, phrases: number): number {
  const { image, text, max_tokens: tokens } = model
  const cells = gridSide(model) ** 2 + 1
  const rows = images * cells * image.width
  const map = images * image.heads * cells * cells
  const block = 31 * rows + 5 * rows * image.mlp_ratio + 2 * map + 2 * image.width ** 2 * image.mlp_ratio
  const sources = 2 * (text.layers - text.fusion_layer) * images * cells * text.width
  const encoding = (image.depth + 4) * rows + Math.max(block, sources)
  const textRows = phrases * tokens * text.width
  const cross = phrases * text.heads * tokens * cells
  const explaining = sources + (text.layers - text.fusion_layer) * (60 * textRows + 9 * cross) + 2 * text.width * text.intermediate
  return Math.max(encoding, rows + explaining)
}
