/** Ways to go through a dataset: the built-in ones and what a filter or a sort is called. */
import { type RegionFilter, type RegionSort, type View, regionFilterSchema } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { fixed } from '../../app/format.ts'
import type { QueueQuery } from './queue-source.ts'

export interface QueueView {
  readonly id: string
  readonly name: string
  readonly filter: Omit<RegionFilter, 'datasetId' | 'checkpointId' | 'otherCheckpointId'>
  readonly sort: RegionSort
  readonly descending: boolean
}

export const BUILT_IN: readonly QueueView[] = [
  { id: 'all', name: t('All regions'), filter: {}, sort: 'file-order', descending: false },
  { id: 'to-review', name: t('To review'), filter: { statuses: ['unreviewed'] }, sort: 'file-order', descending: false },
  { id: 'suspects', name: t('Suspects'), filter: {}, sort: 'suspect', descending: true },
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
  { value: 'file-order', label: t('File order'), first: t('In file order'), last: t('In file order, last first') },
  { value: 'suspect', label: t('Suspects'), first: t('Least suspect first'), last: t('Most suspect first') },
  { value: 'consistency', label: t('Consistency'), first: t('Lowest consistency first'), last: t('Highest consistency first') },
  { value: 'match', label: t('Match probability'), first: t('Lowest match probability first'), last: t('Highest match probability first') },
  { value: 'max-margin', label: t('Max margin'), first: t('Lowest max margin first'), last: t('Highest max margin first') },
  { value: 'mean-margin', label: t('Mean margin'), first: t('Lowest mean margin first'), last: t('Highest mean margin first') },
  { value: 'amc-max', label: t('AMC max loss'), first: t('Lowest AMC max loss first'), last: t('Highest AMC max loss first') },
  { value: 'amc-mean', label: t('AMC mean loss'), first: t('Lowest AMC mean loss first'), last: t('Highest AMC mean loss first') },
  { value: 'soft-iou', label: t('Soft IoU'), first: t('Lowest soft IoU first'), last: t('Highest soft IoU first') },
  { value: 'disagreement', label: t('Disagreement of two checkpoints'), first: t('Checkpoints agree most first'), last: t('Checkpoints differ most first') },
  { value: 'area', label: t('Box size'), first: t('Smallest boxes first'), last: t('Largest boxes first') },
  { value: 'phrase', label: t('Phrase'), first: t('Phrases from A to Z'), last: t('Phrases from Z to A') },
  { value: 'random', label: t('Random'), first: t('In random order'), last: t('In random order') },
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

export const STATUS_WORDS = { unreviewed: t('to review'), accepted: t('accepted'), rejected: t('rejected'), skipped: t('skipped') } as const

/** One chip for each part of a filter, with the filter that is left when it is taken off. The text has its own field. */
export function chips(filter: QueueView['filter']): readonly Chip[] {
  const out: Chip[] = []
  const without = (...keys: (keyof QueueView['filter'])[]) => Object.fromEntries(Object.entries(filter).filter(([key]) => !keys.includes(key as keyof QueueView['filter'])))
  if (filter.statuses?.length) out.push({ key: 'statuses', name: t('status'), value: filter.statuses.map((status) => STATUS_WORDS[status]).join(t(', ')), without: without('statuses') })
  if (filter.splits?.length) out.push({ key: 'splits', name: t('split'), value: filter.splits.join(t(', ')), without: without('splits') })
  const { consistencyMin: low, consistencyMax: high } = filter
  if (low !== undefined || high !== undefined) {
    const value = low === undefined ? `< ${fixed(high!)}` : high === undefined ? `≥ ${fixed(low)}` : `${fixed(low)}–${fixed(high)}`
    out.push({ key: 'score', name: t('score'), value, without: without('consistencyMin', 'consistencyMax') })
  }
  if (filter.hit !== undefined) out.push({ key: 'hit', name: t('pointing'), value: filter.hit ? t('hit') : t('miss'), without: without('hit') })
  if (filter.tags?.length) out.push({ key: 'tags', name: t('tag'), value: filter.tags.join(t(', ')), without: without('tags') })
  const range = (key: string, name: string, lowKey: keyof QueueView['filter'], highKey: keyof QueueView['filter'], words: (value: number) => string) => {
    const [from, to] = [filter[lowKey] as number | undefined, filter[highKey] as number | undefined]
    if (from === undefined && to === undefined) return
    out.push({ key, name, value: from === undefined ? `< ${words(to!)}` : to === undefined ? `≥ ${words(from)}` : `${words(from)}–${words(to)}`, without: without(lowKey, highKey) })
  }
  range('match', t('match'), 'matchMin', 'matchMax', fixed)
  range('area', t('box'), 'areaMin', 'areaMax', (share) => `${Number((share * 100).toFixed(2))} %`)
  if (filter.hasNote !== undefined) out.push({ key: 'note', name: t('note'), value: filter.hasNote ? t('yes') : t('no'), without: without('hasNote') })
  if (filter.reviewers?.length) out.push({ key: 'reviewers', name: t('reviewer'), value: filter.reviewers.join(t(', ')), without: without('reviewers') })
  if (filter.assignees?.length) out.push({ key: 'assignees', name: t('assigned'), value: filter.assignees.map((name) => name || t('nobody')).join(t(', ')), without: without('assignees') })
  if (filter.second) out.push({ key: 'second', name: t('second review'), value: { open: t('open', undefined, 'review'), done: t('made', undefined, 'review'), differs: t('differs') }[filter.second], without: without('second') })
  if (filter.regionIds) out.push({ key: 'list', name: t('list'), value: t('{n, plural, one {# region} other {# regions}}', { n: filter.regionIds.length }), without: without('regionIds') })
  if (filter.flagged) out.push({ key: 'flagged', name: t('import'), value: t('flagged'), without: without('flagged') })
  return out
}

export function sameView(a: QueueView, b: QueueView): boolean {
  const plain = (view: QueueView) => JSON.stringify([Object.entries(view.filter).filter(([, value]) => value !== undefined).sort(), view.sort, view.descending])
  return plain(a) === plain(b)
}
