/** What a run is measured by that began from a checkpoint: its best checkpoint against that one, on what training did not see. */
import type { Checkpoint, Dataset, Run } from '../../shared/domain.ts'
import { formatHash } from '../app/routes.ts'

export interface RunComparison {
  readonly start: Checkpoint
  readonly best: Checkpoint
  readonly datasetId: string
  /** Null where the dataset holds nothing out. */
  readonly split: string | null
}

const UNDER_WAY: ReadonlySet<Run['state']> = new Set(['waiting', 'starting', 'training', 'pausing', 'stopping'])

/** Null while it trains, and where either checkpoint or the dataset is not there. */
export function comparisonOf(run: Run, checkpoints: readonly Checkpoint[], datasets: readonly Dataset[]): RunComparison | null {
  const start = checkpoints.find((checkpoint) => checkpoint.id === run.startCheckpointId)
  const best = checkpoints.find((checkpoint) => checkpoint.runId === run.id && checkpoint.best)
  const dataset = datasets.find((one) => one.id === run.datasetId)
  return !start || !best || !dataset || UNDER_WAY.has(run.state) ? null : { start, best, datasetId: dataset.id, split: heldOut(dataset) }
}

/** A split for tests before the one that chose the best checkpoint. */
export function heldOut({ splits }: Pick<Dataset, 'splits'>): string | null {
  const names = Object.keys(splits).filter((name) => splits[name]! > 0)
  return names.find((name) => name === 'test') ?? names.find((name) => name.startsWith('test')) ?? names.find((name) => name === 'val') ?? null
}

/** The screen Compare with both. */
export const comparisonLink = ({ start, best, datasetId, split }: RunComparison): string => formatHash('compare', { dataset: datasetId, a: start.id, b: best.id, split: split ?? 'all' })
