/** Which checkpoints have seen nothing but the demo's drawn scenes: what they say of other images means little, however sure it looks. */
import type { Checkpoint, Dataset, Run } from '../../../shared/domain.ts'

/** The name of the model that the demo's presets train. */
const DEMO_MODEL = 'demo'

/** One of a run knows what that run trained on; one from a file may have been trained on anything, and is left alone. */
export function knowsOnlyDemo(checkpoint: Pick<Checkpoint, 'modelName' | 'origin' | 'runId'>, datasets: readonly Pick<Dataset, 'id' | 'demo'>[], runs: readonly Pick<Run, 'id' | 'datasetId'>[]): boolean {
  if (checkpoint.modelName !== DEMO_MODEL) return false
  if (checkpoint.origin === 'shipped') return true
  const run = runs.find((entry) => entry.id === checkpoint.runId)
  return run !== undefined && datasets.some((dataset) => dataset.id === run.datasetId && dataset.demo === true)
}
