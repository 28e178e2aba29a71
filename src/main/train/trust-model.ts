/** A loaded model as what trust.ts puts to the test. Its weights are spoiled by it: load it for this alone. */
import type { ModelConfig } from '../../shared/config/model-config.ts'
import type { Explainer } from '../../shared/explainers.ts'
import { encodeImages, matchProbabilities } from '../model/explain.ts'
import { variableOf, startAll } from '../model/params.ts'
import { createRandom } from '../model/random.ts'
import { tf } from '../model/tf.ts'
import type { LoadedModel } from './model-files.ts'
import { evaluationPixels, explainPhrasesBy, tokenizePhrases } from './scoring.ts'
import type { TrustSubject } from './trust.ts'
import type { ImageCache } from './image-cache.ts'

interface Part {
  readonly name: string
  readonly holds: (parameter: string) => boolean
}

/** Parts from the answer down to the pixels. What is not on the way to the target (the other head, the words to guess) is in none. */
function partsOf({ image, text }: ModelConfig, { target }: Explainer): Part[] {
  const starts = (...prefixes: string[]) => (name: string): boolean => prefixes.some((prefix) => name.startsWith(prefix))
  const layer = (index: number): string => `text_encoder.bert.encoder.layer.${index}.`
  const blocks = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `visual_encoder.blocks.${from + i}.`)
  const half = Math.floor(image.depth / 2)
  const words: Part = { name: 'the text encoder', holds: starts('text_encoder.bert.embeddings.', ...Array.from({ length: text.fusion_layer }, (_, i) => layer(i))) }
  const pictures: Part[] = [
    { name: `the upper half of the image encoder`, holds: starts('visual_encoder.norm.', ...blocks(half, image.depth)) },
    { name: 'the whole image encoder', holds: starts('visual_encoder.cls_token', 'visual_encoder.pos_embed', 'visual_encoder.patch_embed.', 'visual_encoder.stem.', ...blocks(0, half)) },
  ]
  if (target === 'itc') return [{ name: 'the projections', holds: starts('vision_proj.', 'text_proj.') }, ...pictures, words]
  const fusion = Array.from({ length: text.layers - text.fusion_layer }, (_, i) => text.layers - 1 - i)
  return [{ name: 'the match head', holds: starts('itm_head.') }, ...fusion.map((index) => ({ name: `fusion layer ${index}`, holds: starts(layer(index)) })), words, ...pictures]
}

export function trustSubject(model: LoadedModel, explainer: Explainer, seed: number): TrustSubject {
  const { params, config } = model
  const parts = partsOf(config, explainer)
  let fresh: ReadonlyMap<string, Float32Array> | null = null
  const size = 3 * config.image.size ** 2
  const encoded = <T>(images: Float32Array, use: (features: ReturnType<typeof encodeImages>) => T): T => {
    const features = encodeImages(params, images)
    try {
      return use(features)
    } finally {
      features.dispose()
    }
  }
  return {
    side: config.image.size,
    explain: (images, phrases) => encoded(images, (features) => explainPhrasesBy(model, { features, pixels: images }, phrases, explainer).map(({ grid }) => grid)),
    match: (images, phrase) =>
      encoded(images, (features) => matchProbabilities(params, { features, text: tokenizePhrases(model, Array.from({ length: images.length / size }, () => phrase)), padId: model.tokenizer.special.pad })),
    stages: parts.map(({ name }) => name),
    randomise: (stage) => {
      fresh ??= startAll(config, createRandom(seed))
      for (const [name, values] of fresh) {
        if (!parts[stage]!.holds(name)) continue
        const variable = variableOf(params, name)
        tf.tidy(() => variable.assign(tf.tensor(values, variable.shape, 'float32')))
      }
    },
  }
}

/** Pixels as scoring prepares them. */
export async function trustPlanes({ config }: LoadedModel, cache: ImageCache, path: string): Promise<Float32Array> {
  return evaluationPixels([await cache.get(path)], config.image.size)
}
