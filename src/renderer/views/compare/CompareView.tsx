import { Scale } from 'lucide-react'
import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { Comparison, ResultFile } from '../../../shared/contract/compare.ts'
import type { Checkpoint, Dataset, View } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count } from '../../app/format.ts'
import { formatHash } from '../../app/routes.ts'
import { useStatus } from '../../app/status.ts'
import { api } from '../../state/engine.ts'
import { keys, useCheckpoints, useDatasets, useViews } from '../../state/queries.ts'
import { ButtonLink } from '../../ui/Button.tsx'
import { EmptyState, ErrorNote, Loading } from '../../ui/Notes.tsx'
import type { CompareState } from './address.ts'
import { Bar } from './Bar.tsx'
import { Changes } from './Changes.tsx'
import { ALL, type Choice, chooseInProject, chooseResults, chosenDataset, pairOf, unpinned } from './choice.ts'
import { MissingScores } from './MissingScores.tsx'
import { Results } from './Results.tsx'
import { type ChangeState, useCompareState } from './use-compare.ts'
import { titleOf } from './words.ts'
import styles from './compare.module.css'

export function CompareView() {
  const { state, change } = useCompareState()
  const checkpoints = useCheckpoints()
  const datasets = useDatasets()
  const dataset = datasets.data ? chosenDataset(datasets.data, state) : undefined
  const views = useViews(dataset?.id ?? null)
  const files = useQuery({ queryKey: keys.resultFiles, queryFn: ({ signal }) => api.compare.resultFiles({}, { signal }) })
  const failed = checkpoints.error ?? datasets.error ?? views.error ?? files.error
  if (failed) return <div className={styles.alone}><ErrorNote error={failed} onRetry={() => { for (const query of [checkpoints, datasets, views, files]) void query.refetch() }} /></div>
  if (!checkpoints.data || !datasets.data || (dataset && !views.data) || !files.data) return <Loading>{t('Loading checkpoints')}</Loading>
  const choice = (state.results.length > 0 ? chooseResults(files.data, state) : null) ?? chooseInProject(checkpoints.data, datasets.data, views.data ?? [], state)
  if (choice) return <Chosen choice={choice} state={state} change={change} checkpoints={checkpoints.data} datasets={datasets.data} views={views.data ?? []} files={files.data} fetching={checkpoints.isFetching || datasets.isFetching} />
  if (datasets.data.length === 0) {
    return (
      <EmptyState icon={Scale} title={t('Nothing to compare on yet')} actions={<ButtonLink kind="primary" href={formatHash('library')}>{t('Go to Library')}</ButtonLink>}>
        {t('Import a dataset first: checkpoints are compared by where they look on its images.')}
      </EmptyState>
    )
  }
  return (
    <EmptyState icon={Scale} title={t('Two checkpoints are needed')} actions={<><ButtonLink kind="primary" href={formatHash('train')}>{t('Train one')}</ButtonLink><ButtonLink href={formatHash('checkpoints', { import: 'open' })}>{t('Import one')}</ButtonLink></>}>
      {checkpoints.data.length === 1 ? t('There is one in this project. Train a run or import weights; then see here what one fixed and what it broke.') : t('There are none in this project. Train a run or import weights; then see here what one fixed and what it broke.')}
    </EmptyState>
  )
}

interface ChosenProps {
  readonly choice: Choice
  readonly state: CompareState
  readonly change: ChangeState
  readonly checkpoints: readonly Checkpoint[]
  readonly datasets: readonly Dataset[]
  readonly views: readonly View[]
  readonly files: readonly ResultFile[]
  /** True while what can be chosen is being fetched anew. */
  readonly fetching: boolean
}

function useComparison(choice: Choice) {
  const { sides, split } = choice
  const ids = sides.map((side) => side.id)
  const place = choice.kind === 'project' ? [choice.dataset.id, choice.view?.id ?? ALL] : ['results']
  return useQuery({
    queryKey: keys.comparison([...place, split ?? ALL, ...ids]),
    queryFn: ({ signal }): Promise<Comparison> => choice.kind === 'project'
      ? api.compare.get({ population: { datasetId: choice.dataset.id, ...(choice.view ? { viewId: choice.view.id } : {}), ...(split === null ? {} : { split }) }, checkpointIds: ids }, { signal })
      : api.compare.results({ names: ids, ...(split === null ? {} : { split }) }, { signal }),
  })
}

function Chosen({ choice, state, change, checkpoints, datasets, views, files, fetching }: ChosenProps) {
  // While it is fetched, what the address names may come in a moment.
  const pin = fetching ? null : unpinned(choice, state)
  useEffect(() => {
    if (pin) change(pin)
  }, [JSON.stringify(pin)])
  const comparison = useComparison(choice)
  const data = comparison.data
  const pair = pairOf(choice, state)
  useStatus(data ? (
    <>
      <span>{data.missing === 0 ? t('{n, plural, one {# phrase} other {# phrases}} of {total} compared', { n: data.regions, total: count(data.total) }) : t('{n, plural, one {# region} other {# regions}} of {total} not scored by all', { n: data.missing, total: count(data.total) })}</span>
      {data.withoutAnswer > 0 ? <span>{t('{n} without phrase or box', { n: count(data.withoutAnswer) })}</span> : null}
      {data.pairs.length > 0 ? <span>{t('bootstrap over images, {draws} draws, seed {seed}', { draws: count(data.method.draws), seed: data.method.seed })}</span> : null}
    </>
  ) : null)
  const results = () => {
    if (comparison.error) return <div className={styles.alone}><ErrorNote error={comparison.error} onRetry={() => void comparison.refetch()} /></div>
    if (!data) return <Loading>{t('Comparing')}</Loading>
    if (data.pairs.length > 0) return <Results comparison={data} choice={choice} pair={pair} state={state} change={change} />
    if (data.missing > 0 && choice.kind === 'project') return <MissingScores comparison={data} choice={choice} />
    const title = titleOf(choice, data)
    return (
      <EmptyState icon={Scale} title={t('No regions here')}>
        {data.withoutAnswer > 0 ? t('{n, plural, one {# region of {title} has no phrase or no box, so it cannot be scored.} other {# regions of {title} have no phrase or no box, so none can be scored.}} Choose another split, view or dataset.', { n: data.withoutAnswer, title }) : t('{title} has no regions. Choose another split, view or dataset.', { title })}
      </EmptyState>
    )
  }
  return (
    <div className={styles.screen}>
      <Bar choice={choice} checkpoints={checkpoints} datasets={datasets} views={views} files={files} comparison={data} change={change} />
      {results()}
      {choice.kind === 'project' && state.panel === 'changes' ? <Changes a={choice.sides[pair[0]]!} b={choice.sides[pair[1]]!} pair={pair} onClose={() => change({ panel: null })} /> : null}
    </div>
  )
}
