/**
 * Parts of a model that a run leaves as they are. A frozen parameter gets no gradient, no update and no weight decay; what only
 * frozen parameters produce keeps nothing for the reverse pass. Its momentum copy goes on following it.
 */
import type { ModelConfig } from '../../shared/config/model-config.ts'
import { AppError, nearest } from '../../shared/errors.ts'
import { parameterSpecs, variableOf } from './params.ts'
import type { ModelParams } from './types.ts'

type Test = (name: string, config: ModelConfig) => boolean

const LAYER = /^text_encoder\.bert\.encoder\.layer\.(\d+)\./
const layerOf = (name: string): number => Number(LAYER.exec(name)?.[1] ?? -1)
const isEmbedding: Test = (name) => name.startsWith('text_encoder.bert.embeddings.')

/** The parts by the names people use. The word embeddings are also the decoder of the masked-word head. */
const PARTS: Readonly<Record<string, Test>> = {
  image: (name) => name.startsWith('visual_encoder.'),
  text: (name, config) => isEmbedding(name, config) || (layerOf(name) >= 0 && layerOf(name) < config.text.fusion_layer),
  embeddings: isEmbedding,
  fusion: (name, { text }) => layerOf(name) >= text.fusion_layer,
  heads: (name) => /^(vision_proj|text_proj|itm_head|text_encoder\.cls)\./.test(name),
  temperature: (name) => name === 'temp',
}

export const FREEZABLE_PARTS = Object.keys(PARTS)

/**
 * The parameters that a setting freezes.
 * @param setting parts (`image, text`) and parameter names with `*` for anything (`visual_encoder.blocks.1?.*` knows `?` too), separated by commas.
 * @throws AppError 'bad-input' for a word that names nothing of this model, and when nothing would be left to learn.
 */
export function frozenNames(config: ModelConfig, setting: string): ReadonlySet<string> {
  const names = parameterSpecs(config).map((spec) => spec.name)
  const frozen = new Set<string>()
  for (const word of setting.split(',').map((part) => part.trim()).filter((part) => part !== '')) {
    const test = PARTS[word] ?? pattern(word)
    const found = names.filter((name) => test(name, config))
    if (found.length === 0) {
      const near = nearest(word, [...FREEZABLE_PARTS, ...names])
      throw new AppError('bad-input', `"${word}" names no part of this model.`, near ? `Did you mean "${near}"?` : `The parts are ${FREEZABLE_PARTS.join(', ')}.`, 'freeze')
    }
    for (const name of found) frozen.add(name)
  }
  if (frozen.size === names.length) throw new AppError('bad-input', 'Everything would be frozen, so nothing could learn.', 'Take a part out of the list.', 'freeze')
  return frozen
}

function pattern(word: string): Test {
  const source = word.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')
  const expression = new RegExp(`^${source}$`)
  return (name) => expression.test(name)
}

/** Freezes what the setting names and thaws the rest. Returns a sentence for the run's log; null when nothing is frozen. */
export function freezeParameters(params: ModelParams, setting: string): string | null {
  const frozen = frozenNames(params.config, setting)
  let [kept, all] = [0, 0]
  for (const name of params.trainable) {
    const variable = variableOf(params, name)
    variable.trainable = !frozen.has(name)
    all += variable.size
    if (frozen.has(name)) kept += variable.size
  }
  if (frozen.size === 0) return null
  return `Frozen: ${setting.trim()} (${kept.toLocaleString('en')} of ${all.toLocaleString('en')} weights stay as they are).`
}
