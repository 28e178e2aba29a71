/**
 * Ways of making a heatmap for an evaluation. Each takes images with equally many phrases and answers raw maps, scaled as for the
 * phrase alone. To add one: shared/explainers.ts names it, model/explainers.ts computes it.
 */
import { gridSide, type ModelConfig } from '../../shared/config/model-config.ts'
import { DEFAULT_EXPLAINER, explainerFacts, resolveExplainer, targetOf, type ExplainerFacts, type Target } from '../../shared/explainers.ts'
import { encodeImages, matchProbabilities } from '../model/explain.ts'
import { explainPairs, pairsTogether } from '../model/explainers.ts'
import { preCaption } from '../model/pre-caption.ts'
import type { LoadedModel } from '../train/model-files.ts'
import type { RawHeat } from './types.ts'

export interface ExplainBatch {
  readonly model: LoadedModel
  /** Normalised pixels, [I, 3, S, S]. */
  readonly images: Float32Array
  /** k phrases an image, in the order of the images. */
  readonly phrases: readonly string[]
  readonly layer: number
  /** Words of a phrase that are looked at. */
  readonly maxWords: number
  /** Word pieces that are looked at, [CLS] included. */
  readonly maxTokens: number
}

export interface ExplainedSample {
  readonly grid: RawHeat
  /** Null where the explainer does not ask whether phrase and image match. */
  readonly matchProbability: number | null
}

export interface HeatExplainer {
  /** 'itm' and 'itc' are the published modes, AMC's Grad-CAM; another explainer carries its name before the target. */
  readonly name: string
  readonly title: string
  readonly facts: ExplainerFacts
  readonly target: Target
  /** Pairs of image and phrase that are computed together. */
  readonly together: number
  readonly explain: (batch: ExplainBatch) => ExplainedSample[]
}

const FOR: Readonly<Record<Target, string>> = { itm: 'for the match of phrase and image', itc: 'for the similarity of phrase and image' }

/** @throws AppError 'usage' with the nearest name, or for a target that the explainer does not have */
export function explainerOf(wanted: string | undefined, wantedTarget: string | undefined): HeatExplainer {
  const facts = explainerFacts(wanted ?? DEFAULT_EXPLAINER)
  const target = targetOf(facts, wantedTarget)
  return {
    name: facts.name === DEFAULT_EXPLAINER ? target : `${facts.name}-${target}`,
    title: `${facts.title}, ${FOR[target]}`,
    facts,
    target,
    together: pairsTogether({ name: facts.name, target, layer: 0 }),
    explain: ({ model, images, phrases, layer, maxWords, maxTokens }) => {
      const text = model.tokenizer.encodeBatch(phrases.map((phrase) => preCaption(phrase, maxWords)), maxTokens) // cleaned as published
      const { maps, match } = explainPairs({ params: model.params, images, text, pad: model.tokenizer.special.pad }, resolveExplainer(model.config, { name: facts.name, target, layer }))
      const side = gridSide(model.config)
      return maps.map((values, n) => ({ grid: { width: side, height: side, values }, matchProbability: match ? match[n]! : null }))
    },
  }
}

/** Match probabilities alone, of images with a phrase each. */
export function matchOf({ params, tokenizer }: LoadedModel, images: Float32Array, phrases: readonly string[], { maxWords, maxTokens }: Pick<ExplainBatch, 'maxWords' | 'maxTokens'>): Float32Array {
  const features = encodeImages(params, images)
  try {
    return matchProbabilities(params, { features, text: tokenizer.encodeBatch(phrases.map((phrase) => preCaption(phrase, maxWords)), maxTokens), padId: tokenizer.special.pad })
  } finally {
    features.dispose()
  }
}

/** The layer asked for, or the usual one. @throws AppError 'usage' for a layer the model does not have */
export function layerOf({ facts, target }: Pick<HeatExplainer, 'facts' | 'target'>, config: ModelConfig, asked: number | undefined): number {
  return resolveExplainer(config, { name: facts.name, target, layer: asked }).layer
}
