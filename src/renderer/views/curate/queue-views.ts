/** Ways to go through a dataset: the built-in ones and what a filter or a sort is called. */
import { type RegionFilter, type RegionSort, type View, regionFilterSchema } from '../../../shared/domain.ts'
import { fixed } from '../../app/format.ts'
import type { QueueQuery } from './queue-source.ts'

export interface QueueView {
  readonly id: string
  readonly name: string
  readonly filter: Omit<RegionFilter, 'datasetId' | 'checkpointId'>
  readonly sort: RegionSort
  readonly descending: boolean
}

export const BUILT_IN: readonly QueueView[] = [
  { id: 'all', name: 'All regions', filter: {}, sort: 'file-order', descending: false },
  { id: 'to-review', name: 'To review', filter: { statuses: ['unreviewed'] }, sort: 'file-order', descending: false },
  { id: 'suspects', name: 'Suspects', filter: {}, sort: 'suspect', descending: true },
]

export function fromSaved(view: View): QueueView {
  const { datasetId: _dataset, checkpointId: _checkpoint, ...filter } = view.filter
  return { id: view.id, name: view.name, filter, sort: view.sort, descending: view.descending }
}

const filterSchema = regionFilterSchema.omit({ datasetId: true, checkpointId: true })
const ALL = BUILT_IN[0]!

export type ViewParams = Readonly<Record<'view' | 'sort' | 'order' | 'filter', string | null>>

/** A view as the address holds it: the one that was chosen, and in what it was changed since. */
export function viewToParams(view: QueueView, origin: QueueView): ViewParams {
  const same = sameView({ ...view, filter: origin.filter }, origin)
  return {
    view: origin.id === ALL.id ? null : origin.id,
    sort: same ? null : view.sort, order: same ? null : view.descending ? 'last' : 'first',
    filter: sameView(view, { ...view, filter: origin.filter }) ? null : JSON.stringify(view.filter),
  }
}

/** The view that an address asks for. A saved view that is not known (yet) is left out, like anything else that cannot be read. */
export function viewFromParams(params: Readonly<Record<string, string | null | undefined>>, saved: readonly View[]): { readonly view: QueueView; readonly origin: QueueView } {
  const found = saved.find((entry) => entry.id === params.view)
  const named = BUILT_IN.find((entry) => entry.id === params.view) ?? (found ? fromSaved(found) : null)
  const origin = named ?? (params.sort === 'suspect' && !params.order ? BUILT_IN.find((entry) => entry.sort === 'suspect')! : ALL)
  const sort = SORTS.find((entry) => entry.value === params.sort)?.value ?? origin.sort
  const descending = params.order ? params.order === 'last' : sort === origin.sort ? origin.descending : false
  return { origin, view: { ...origin, sort, descending, filter: readFilter(params.filter) ?? origin.filter } }
}

function readFilter(text: string | null | undefined): QueueView['filter'] | null {
  try {
    const parsed = text ? filterSchema.safeParse(JSON.parse(text)) : null
    return parsed?.success ? parsed.data : null
  } catch {
    return null
  }
}

export function toQuery(view: QueueView, datasetId: string, checkpointId: string | null, seed: number): QueueQuery {
  return { filter: { ...view.filter, datasetId, ...(checkpointId ? { checkpointId } : {}) }, sort: view.sort, descending: view.descending, seed }
}

export const SORTS: readonly { readonly value: RegionSort; readonly label: string; readonly first: string; readonly last: string }[] = [
  { value: 'file-order', label: 'File order', first: 'In file order', last: 'In file order, last first' },
  { value: 'suspect', label: 'Suspects', first: 'Least suspect first', last: 'Most suspect first' },
  { value: 'consistency', label: 'Consistency', first: 'Lowest consistency first', last: 'Highest consistency first' },
  { value: 'match', label: 'Match probability', first: 'Lowest match probability first', last: 'Highest match probability first' },
  { value: 'phrase', label: 'Phrase', first: 'Phrases from A to Z', last: 'Phrases from Z to A' },
  { value: 'random', label: 'Random', first: 'In random order', last: 'In random order' },
]

export const needsScores = (sort: RegionSort): boolean => sort === 'suspect' || sort === 'consistency' || sort === 'match'

export function sortWords(sort: RegionSort, descending: boolean): string {
  const entry = SORTS.find((candidate) => candidate.value === sort)!
  return descending ? entry.last : entry.first
}

export interface Chip {
  readonly key: string
  readonly name: string
  readonly value: string
  readonly without: QueueView['filter']
}

export const STATUS_WORDS = { unreviewed: 'to review', accepted: 'accepted', rejected: 'rejected', skipped: 'skipped' } as const

/** One chip for each part of a filter, with the filter that is left when it is taken off. The text has its own field. */
export function chips(filter: QueueView['filter']): readonly Chip[] {
  const out: Chip[] = []
  const without = (...keys: (keyof QueueView['filter'])[]) => Object.fromEntries(Object.entries(filter).filter(([key]) => !keys.includes(key as keyof QueueView['filter'])))
  if (filter.statuses?.length) out.push({ key: 'statuses', name: 'status', value: filter.statuses.map((status) => STATUS_WORDS[status]).join(', '), without: without('statuses') })
  if (filter.splits?.length) out.push({ key: 'splits', name: 'split', value: filter.splits.join(', '), without: without('splits') })
  const { consistencyMin: low, consistencyMax: high } = filter
  if (low !== undefined || high !== undefined) {
    const value = low === undefined ? `< ${fixed(high!)}` : high === undefined ? `≥ ${fixed(low)}` : `${fixed(low)}–${fixed(high)}`
    out.push({ key: 'score', name: 'score', value, without: without('consistencyMin', 'consistencyMax') })
  }
  if (filter.hit !== undefined) out.push({ key: 'hit', name: 'pointing', value: filter.hit ? 'hit' : 'miss', without: without('hit') })
  if (filter.tags?.length) out.push({ key: 'tags', name: 'tag', value: filter.tags.join(', '), without: without('tags') })
  if (filter.flagged) out.push({ key: 'flagged', name: 'import', value: 'flagged', without: without('flagged') })
  return out
}

export function sameView(a: QueueView, b: QueueView): boolean {
  const plain = (view: QueueView) => JSON.stringify([Object.entries(view.filter).filter(([, value]) => value !== undefined).sort(), view.sort, view.descending])
  return plain(a) === plain(b)
}
