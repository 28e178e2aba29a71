/** What is compared: what the address asks for, and a good start where it asks for nothing. */
import type { ResultFile } from '../../../shared/contract/compare.ts'
import type { Checkpoint, Dataset, View } from '../../../shared/domain.ts'
import type { CompareState } from './address.ts'

export const ALL = 'all'

/** One of A to D, whether a checkpoint of the project or a result file. */
export interface Side {
  readonly id: string
  readonly name: string
  /** Null for a result file. */
  readonly checkpoint: Checkpoint | null
}

export interface ProjectChoice {
  readonly kind: 'project'
  readonly sides: readonly Side[]
  readonly dataset: Dataset
  readonly view: View | null
  /** null: all splits. */
  readonly split: string | null
}

export interface ResultsChoice {
  readonly kind: 'results'
  readonly sides: readonly Side[]
  readonly group: string
  readonly split: string | null
}

export type Choice = ProjectChoice | ResultsChoice

const pointing = (checkpoint: Checkpoint): number => Object.entries(checkpoint.metrics).find(([name]) => /pointing/i.test(name))?.[1] ?? -1

/** The newest best of a run (else the best that is known) against the next, on what training did not see. */
export function chooseInProject(checkpoints: readonly Checkpoint[], datasets: readonly Dataset[], views: readonly View[], state: CompareState): ProjectChoice | null {
  const rank = (checkpoint: Checkpoint) => (checkpoint.origin === 'run' && checkpoint.best ? 0 : checkpoint.origin === 'run' ? 2 : 1)
  const preferred = [...checkpoints].sort((x, y) => rank(x) - rank(y) || (rank(x) === 0 ? y.createdAt.localeCompare(x.createdAt) : pointing(y) - pointing(x)))
  const asked = state.checkpoints.map((id) => checkpoints.find((checkpoint) => checkpoint.id === id))
  const b = asked[1] ?? preferred.find((checkpoint) => checkpoint.id !== state.checkpoints[0])
  const a = asked[0] ?? preferred.find((checkpoint) => checkpoint.id !== b?.id)
  const dataset = chosenDataset(datasets, state)
  if (!a || !b || !dataset) return null
  const more = asked.slice(2).filter((checkpoint) => checkpoint !== undefined)
  const view = views.find((entry) => entry.id === state.view) ?? null
  const split = state.split === ALL ? null : (state.split ?? (view ? null : 'val'))
  return { kind: 'project', sides: [a, b, ...more].map((checkpoint) => ({ id: checkpoint.id, name: checkpoint.name, checkpoint })), dataset, view, split: split !== null && dataset.splits[split] ? split : null }
}

export function chosenDataset(datasets: readonly Dataset[], state: CompareState): Dataset | undefined {
  return datasets.find((entry) => entry.id === state.dataset) ?? datasets.find((entry) => entry.meanConsistency !== null) ?? datasets[0]
}

/** Null when fewer than two of the files asked for are there, or they are not of one benchmark. */
export function chooseResults(files: readonly ResultFile[], state: CompareState): ResultsChoice | null {
  const found = state.results.map((name) => files.find((file) => file.name === name)).filter((file) => file !== undefined)
  const group = found[0]?.group
  const alike = found.filter((file) => file.group === group)
  if (group === undefined || alike.length < 2) return null
  return { kind: 'results', sides: alike.map(({ name, checkpoint }) => ({ id: name, name: checkpoint, checkpoint: null })), group, split: state.split === ALL ? null : state.split }
}

/** The two sides that are looked at; a pair that is not there is the first. */
export function pairOf({ sides }: Choice, state: CompareState): readonly [number, number] {
  return Math.max(...state.pair) < sides.length ? state.pair : [0, 1]
}

/**
 * What the screen has chosen itself, for the address: a run that makes a better checkpoint, or other scores, must not move the
 * comparison that somebody looks at or scores for. Null when the address says it all.
 */
export function unpinned(choice: Choice, state: CompareState): Pick<CompareState, 'checkpoints' | 'dataset'> | null {
  if (choice.kind !== 'project' || state.results.length > 0) return null
  const ids = choice.sides.map((side) => side.id)
  const isPinned = state.dataset === choice.dataset.id && ids.every((id, i) => id === state.checkpoints[i])
  return isPinned ? null : { checkpoints: ids, dataset: choice.dataset.id }
}
