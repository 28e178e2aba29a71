/** One update from several batches: for batches that would not fit into memory at once. */
import type { ChoiceSource } from './negatives.ts'
import { stepGradients } from './step.ts'
import { tf, type Tensor } from './tf.ts'
import type { LossParts, ModelParams, StepOptions, StepResult, TrainBatch } from './types.ts'

/** Said in the help of the setting and in the log of every run that uses it. */
export const ACCUMULATION_NOTE =
  'Adding up gradients is not the same as one larger batch: ITC without a long queue, the hard negatives and the mean margin of AMC ' +
  'compare samples within each small batch alone. The matches, the masked words and the maximum margin only average over more samples.'

/**
 * Losses and gradients averaged over the batches, each weighing the same; a parameter that one of them does not reach counts
 * zero there. The momentum copy follows once, the queues take the features of every batch. Of a loss that had nothing to look at
 * in some batches the mean over the others is told.
 */
export function accumulatedGradients(params: ModelParams, batches: readonly TrainBatch[], options: StepOptions, source: ChoiceSource): StepResult {
  if (batches.length === 1) return stepGradients(params, batches[0]!, options, source)
  const share = 1 / batches.length
  const gradients = new Map<string, Tensor>()
  const seen = new Map<keyof LossParts, number[]>()
  const notes = new Set<string>()
  let total = 0
  batches.forEach((batch, i) => {
    const step = stepGradients(params, batch, { ...options, followMomentum: i === 0 && options.followMomentum !== false }, source)
    total += step.total * share
    for (const note of step.notes) notes.add(note)
    for (const [name, value] of Object.entries(step.parts) as [keyof LossParts, number][]) seen.set(name, [...(seen.get(name) ?? []), value])
    addInto(gradients, step.gradients, share)
  })
  const parts = Object.fromEntries([...seen].map(([name, values]) => [name, values.reduce((a, b) => a + b) / values.length]))
  return { total, parts, gradients, notes: [...notes] }
}

/** sum += share * added; `added` is disposed. */
function addInto(sum: Map<string, Tensor>, added: Map<string, Tensor>, share: number): void {
  for (const [name, gradient] of added) {
    const before = sum.get(name)
    sum.set(name, tf.tidy(() => {
      const scaled = tf.mul(gradient, share)
      return before ? tf.add(before, scaled) : scaled
    }))
    before?.dispose()
    gradient.dispose()
  }
  added.clear()
}
