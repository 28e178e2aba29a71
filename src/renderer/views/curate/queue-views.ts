/** Ways to go through a dataset: the built-in ones and what a filter or a sort is called. */
import { type RegionFilter, type RegionSort, type View, regionFilterSchema } from '../../../shared/domain.ts'
import { counted, fixed } from '../../app/format.ts'
import type { QueueQuery } from './queue-source.ts'

export interface QueueView {
  readonly id: string
  readonly name: string
  readonly filter: Omit<RegionFilter, 'datasetId' | 'checkpointId' | 'otherCheckpointId'>
  readonly sort: RegionSort
  readonly descending: boolean
}

export const BUILT_IN: readonly QueueView[] = [
  { id: 'all', name: 'All regions', filter: {}, sort: 'file-order', descending: false },
  { id: 'to-review', name: 'To review', filter: { statuses: ['unreviewed'] }, sort: 'file-order', descending: false },
  { id: 'suspects', name: 'Suspects', filter: {}, sort: 'suspect', descending: true },
]

export function fromSaved(view: View): QueueView {
  const { datasetId: _dataset, checkpointId: _checkpoint, otherCheckpointId: _other, ...filter } = view.filter
  return { id: view.id, name: view.name, filter, sort: view.sort, descending: view.descending }
}

const filterSchema = regionFilterSchema.omit({ datasetId: true, checkpointId: true, otherCheckpointId: true })
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

export function toQuery(view: QueueView, datasetId: string, checkpointId: string | null, seed: number, otherCheckpointId: string | null = null): QueueQuery {
  const other = view.sort === 'disagreement' && otherCheckpointId ? { otherCheckpointId } : {}
  return { filter: { ...view.filter, datasetId, ...(checkpointId ? { checkpointId } : {}), ...other }, sort: view.sort, descending: view.descending, seed }
}

export const SORTS: readonly { readonly value: RegionSort; readonly label: string; readonly first: string; readonly last: string }[] = [
  { value: 'file-order', label: 'File order', first: 'In file order', last: 'In file order, last first' },
  { value: 'suspect', label: 'Suspects', first: 'Least suspect first', last: 'Most suspect first' },
  { value: 'consistency', label: 'Consistency', first: 'Lowest consistency first', last: 'Highest consistency first' },
  { value: 'match', label: 'Match probability', first: 'Lowest match probability first', last: 'Highest match probability first' },
  { value: 'max-margin', label: 'Max margin', first: 'Lowest max margin first', last: 'Highest max margin first' },
  { value: 'mean-margin', label: 'Mean margin', first: 'Lowest mean margin first', last: 'Highest mean margin first' },
  { value: 'amc-max', label: 'AMC max loss', first: 'Lowest AMC max loss first', last: 'Highest AMC max loss first' },
  { value: 'amc-mean', label: 'AMC mean loss', first: 'Lowest AMC mean loss first', last: 'Highest AMC mean loss first' },
  { value: 'soft-iou', label: 'Soft IoU', first: 'Lowest soft IoU first', last: 'Highest soft IoU first' },
  { value: 'disagreement', label: 'Disagreement of two checkpoints', first: 'Checkpoints agree most first', last: 'Checkpoints differ most first' },
  { value: 'area', label: 'Box size', first: 'Smallest boxes first', last: 'Largest boxes first' },
  { value: 'phrase', label: 'Phrase', first: 'Phrases from A to Z', last: 'Phrases from Z to A' },
  { value: 'random', label: 'Random', first: 'In random order', last: 'In random order' },
]

const UNSCORED: readonly RegionSort[] = ['file-order', 'phrase', 'random', 'area']
export const needsScores = (sort: RegionSort): boolean => !UNSCORED.includes(sort)
/** Orders that begin with what is most worth a look. */
export const beginsLast = (sort: RegionSort): boolean => sort === 'suspect' || sort === 'disagreement' || sort === 'amc-max' || sort === 'amc-mean'

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
  const range = (key: string, name: string, lowKey: keyof QueueView['filter'], highKey: keyof QueueView['filter'], words: (value: number) => string) => {
    const [from, to] = [filter[lowKey] as number | undefined, filter[highKey] as number | undefined]
    if (from === undefined && to === undefined) return
    out.push({ key, name, value: from === undefined ? `< ${words(to!)}` : to === undefined ? `≥ ${words(from)}` : `${words(from)}–${words(to)}`, without: without(lowKey, highKey) })
  }
  range('match', 'match', 'matchMin', 'matchMax', fixed)
  range('area', 'box', 'areaMin', 'areaMax', (share) => `${Number((share * 100).toFixed(2))} %`)
  if (filter.hasNote !== undefined) out.push({ key: 'note', name: 'note', value: filter.hasNote ? 'yes' : 'no', without: without('hasNote') })
  if (filter.reviewers?.length) out.push({ key: 'reviewers', name: 'reviewer', value: filter.reviewers.join(', '), without: without('reviewers') })
  if (filter.assignees?.length) out.push({ key: 'assignees', name: 'assigned', value: filter.assignees.map((name) => name || 'nobody').join(', '), without: without('assignees') })
  if (filter.second) out.push({ key: 'second', name: 'second review', value: { open: 'open', done: 'made', differs: 'differs' }[filter.second], without: without('second') })
  if (filter.regionIds) out.push({ key: 'list', name: 'list', value: counted(filter.regionIds.length, 'region'), without: without('regionIds') })
  if (filter.flagged) out.push({ key: 'flagged', name: 'import', value: 'flagged', without: without('flagged') })
  return out
}

export function sameView(a: QueueView, b: QueueView): boolean {
  const plain = (view: QueueView) => JSON.stringify([Object.entries(view.filter).filter(([, value]) => value !== undefined).sort(), view.sort, view.descending])
  return plain(a) === plain(b)
}
