/**
 * The ways of explaining a match that the program knows, as plain data: what each is called, what it says, for which target and which
 * layers it is defined. How each is computed, with formula and source, is in src/main/model/explainers.ts.
 */
import { z } from 'zod'
import type { ModelConfig } from './config/model-config.ts'
import { AppError, nearest } from './errors.ts'
import { t } from './messages/messages.ts'

export const EXPLAINER_NAMES = ['gradcam', 'gradcam-classic', 'hirescam', 'attention', 'rollout', 'gradient-rollout'] as const
export type ExplainerName = (typeof EXPLAINER_NAMES)[number]
/** 'itm': why phrase and image match, through the fusion layers. 'itc': why their vectors are similar, through the image encoder. */
export const TARGETS = ['itm', 'itc'] as const
export type Target = (typeof TARGETS)[number]

export interface ExplainerFacts {
  readonly name: ExplainerName
  /** Short, for a choice on the screen. */
  readonly title: string
  /** One sentence: what its heat says. */
  readonly says: string
  readonly targets: readonly Target[]
  /** Other names of the very same map. */
  readonly also: readonly string[]
  /** It goes through all layers, so none can be asked for. */
  readonly allLayers: boolean
}

export const EXPLAINERS: readonly ExplainerFacts[] = [
  {
    name: 'gradcam', title: t('Grad-CAM (AMC)'), targets: TARGETS, also: ['layercam', 'amc'], allLayers: false,
    says: t('Attention times its positive gradient, cell by cell: where looking more would raise the match. The map AMC trains and scores; elsewhere known as LayerCAM.'),
  },
  {
    name: 'gradcam-classic', title: t('Grad-CAM (classic)'), targets: TARGETS, also: [], allLayers: false,
    says: t('Attention weighted by the mean gradient of each head and word: which heads and words count, not which cells.'),
  },
  {
    name: 'hirescam', title: t('HiResCAM'), targets: TARGETS, also: [], allLayers: false,
    says: t('Attention times its gradient with either sign: cells that speak against the match cancel those that speak for it.'),
  },
  {
    name: 'attention', title: t('Raw attention'), targets: ['itm'], also: ['raw-attention'], allLayers: false,
    says: t('Where the words look in one layer, with no gradient: looking is not yet deciding.'),
  },
  {
    name: 'rollout', title: t('Attention rollout'), targets: ['itm'], also: [], allLayers: true,
    says: t('Attention multiplied through all layers, half of each layer kept as it was: where information may have come from, whatever it was used for.'),
  },
  {
    name: 'gradient-rollout', title: t('Gradient rollout'), targets: TARGETS, also: ['chefer'], allLayers: true,
    says: t('Attention times its positive gradient, carried through all layers (Chefer et al.): which cells the decision rests on through every path.'),
  },
]

export const DEFAULT_EXPLAINER: ExplainerName = 'gradcam'
export const DEFAULT_TARGET: Target = 'itm'

export const explainerNameSchema = z.enum(EXPLAINER_NAMES)
/** What a page or a command asks for; what is left out is the usual. */
export const explainerChoiceSchema = z.object({ name: explainerNameSchema, target: z.enum(TARGETS).optional(), layer: z.int().nonnegative().optional() })
export type ExplainerChoice = z.infer<typeof explainerChoiceSchema>

/** Nothing left open. */
export interface Explainer {
  readonly name: ExplainerName
  readonly target: Target
  readonly layer: number
}

/** @throws AppError 'usage' with the nearest name */
export function explainerFacts(name: string): ExplainerFacts {
  const found = EXPLAINERS.find((one) => one.name === name || one.also.includes(name))
  if (found) return found
  const names = EXPLAINERS.flatMap((one) => [one.name, ...one.also])
  const near = nearest(name, names)
  throw new AppError('usage', `There is no explainer "${name}".`, near ? `Did you mean "${near}"?` : `There are ${EXPLAINER_NAMES.join(', ')}.`, 'explainer')
}

/** @throws AppError 'usage' */
export function targetOf(facts: ExplainerFacts, asked: string | undefined): Target {
  const target = TARGETS.find((one) => one === (asked ?? DEFAULT_TARGET))
  if (!target) {
    const near = nearest(asked!, TARGETS)
    throw new AppError('usage', `There is no target "${asked}".`, near ? `Did you mean "${near}"?` : `There are ${TARGETS.join(' and ')}.`, 'target')
  }
  if (facts.targets.includes(target)) return target
  throw new AppError('usage', `${facts.title} has no target ${target}: without a gradient the image encoder's attention is the same for every phrase.`, `It has ${facts.targets.join(', ')}.`, 'target')
}

/** The block of the image encoder that the published scripts name; smaller models take their last one. */
const PUBLISHED_BLOCK = 8

/** Layers that can be asked for, and the one taken when none is. */
export function layersOf({ allLayers }: ExplainerFacts, target: Target, { image, text, gradcam_layer }: ModelConfig): { readonly first: number; readonly last: number; readonly usual: number } {
  if (target === 'itm') return allLayers ? { first: text.layers - 1, last: text.layers - 1, usual: text.layers - 1 } : { first: text.fusion_layer, last: text.layers - 1, usual: gradcam_layer }
  return allLayers ? { first: image.depth - 1, last: image.depth - 1, usual: image.depth - 1 } : { first: 0, last: image.depth - 1, usual: Math.min(PUBLISHED_BLOCK, image.depth - 1) }
}

/** @throws AppError 'usage' for a target or a layer that it does not have */
export function resolveExplainer(config: ModelConfig, asked: { readonly name?: string | undefined; readonly target?: string | undefined; readonly layer?: number | undefined } = {}): Explainer {
  const facts = explainerFacts(asked.name ?? DEFAULT_EXPLAINER)
  const target = targetOf(facts, asked.target)
  const { first, last, usual } = layersOf(facts, target, config)
  const layer = asked.layer ?? usual
  if (layer >= first && layer <= last) return { name: facts.name, target, layer }
  throw facts.allLayers
    ? new AppError('usage', `${facts.title} goes through all layers; a single one cannot be asked for.`, 'Leave --layer out.', 'layer')
    : new AppError('usage', `${facts.title} for ${target} has the layers ${first} to ${last} in the model ${config.name}; ${layer} is none of them.`, 'Choose another with --layer.', 'layer')
}

/** AMC's own map of the layer the model names: the one that is trained, scored and shown when nothing else is asked for. */
export function isDefaultExplainer(config: ModelConfig, { name, target, layer }: Explainer): boolean {
  return name === DEFAULT_EXPLAINER && target === DEFAULT_TARGET && layer === config.gradcam_layer
}

/** Names one kind of map; maps and numbers under different keys never meet. */
const explainerKey = ({ name, target, layer }: Explainer): string => `${name} ${target} layer ${layer}`

/** The name of AMC's pointing game on AMC's own map. */
export const DEFAULT_PROTOCOL = 'AMC strict'

/** What numbers made with an explainer are called, by its key (null: the usual one), so that those of two never mix. */
export const protocolOfKey = (key: string | null): string => (key === null ? DEFAULT_PROTOCOL : `${DEFAULT_PROTOCOL}, ${key}`)

/** The key of anything but the usual one, which has none. */
export const otherKey = (config: ModelConfig, explainer: Explainer): string | null => (isDefaultExplainer(config, explainer) ? null : explainerKey(explainer))

export const protocolOf = (config: ModelConfig, explainer: Explainer): string => protocolOfKey(otherKey(config, explainer))
