/** A checkpoint of the published code does not say its sizes. When every tensor has the shape of one of the known models, it is that one. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelConfig } from '../../shared/config/model-config.ts'
import { planKeys, type Shaped } from '../model/key-plan.ts'
import { configsDir, loadModelConfig } from './presets.ts'

/**
 * The model of configs/model that fits in every tensor without change; null when none does. Sizes that shapes cannot tell (heads,
 * the layer of the heatmap) come from that configuration, so nothing is guessed.
 */
export async function recogniseModel(tensors: ReadonlyMap<string, Shaped>): Promise<ModelConfig | null> {
  const names = (await readdir(join(configsDir(), 'model'))).filter((name) => name.endsWith('.yaml')).map((name) => name.slice(0, -'.yaml'.length)).sort()
  let best: ModelConfig | null = null
  for (const name of names) {
    const config = await loadModelConfig(name)
    const plan = planKeys(config, tensors)
    const fits = plan.missing.length === 0 && plan.wrongShape.length === 0 && plan.reshaped.length === 0 && plan.loaded.length > 0
    // Queues are not weights: a model whose queue has the same size goes before one that would take a part of it.
    if (fits && (best === null || plan.notes.length === 0)) best = config
  }
  return best
}
