import { ArrowLeftRight, Scale } from 'lucide-react'
import { useQuery } from '@tanstack/react-query'
import type { Checkpoint, Dataset } from '../../../shared/domain.ts'
import { count, counted } from '../../app/format.ts'
import { formatHash, setParams, useRoute } from '../../app/routes.ts'
import { useStatus } from '../../app/status.ts'
import { api } from '../../state/engine.ts'
import { keys, useCheckpoints, useDatasets } from '../../state/queries.ts'
import { ButtonLink } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { IconButton } from '../../ui/IconButton.tsx'
import { EmptyState, ErrorNote, Loading } from '../../ui/Notes.tsx'
import { Select } from '../../ui/Select.tsx'
import { Tag } from '../../ui/Tag.tsx'
import { Letter } from './Letter.tsx'
import { MissingScores } from './MissingScores.tsx'
import { Results } from './Results.tsx'
import styles from './compare.module.css'

const ALL = 'all'

interface Choice {
  readonly a: Checkpoint
  readonly b: Checkpoint
  readonly dataset: Dataset
  /** null: all splits. */
  readonly split: string | null
}

const pointing = (checkpoint: Checkpoint): number => Object.entries(checkpoint.metrics).find(([name]) => /pointing/i.test(name))?.[1] ?? -1

/** What to compare when nothing was asked: the newest best of a run (else the best that is known) against the next, on what training did not see. */
function choose(checkpoints: readonly Checkpoint[], datasets: readonly Dataset[], params: Readonly<Record<string, string>>): Choice | null {
  const rank = (checkpoint: Checkpoint) => (checkpoint.origin === 'run' && checkpoint.best ? 0 : checkpoint.origin === 'run' ? 2 : 1)
  const preferred = [...checkpoints].sort((x, y) => rank(x) - rank(y) || (rank(x) === 0 ? y.createdAt.localeCompare(x.createdAt) : pointing(y) - pointing(x)))
  const asked = (id: string | undefined) => checkpoints.find((checkpoint) => checkpoint.id === id)
  const b = asked(params.b) ?? preferred.find((checkpoint) => checkpoint.id !== params.a)
  const a = asked(params.a) ?? preferred.find((checkpoint) => checkpoint.id !== b?.id)
  const dataset = datasets.find((entry) => entry.id === params.dataset) ?? datasets.find((entry) => entry.meanConsistency !== null) ?? datasets[0]
  if (!a || !b || !dataset) return null
  const split = params.split === ALL ? null : (params.split ?? 'val')
  return { a, b, dataset, split: split !== null && dataset.splits[split] ? split : null }
}

export function CompareView() {
  const { params } = useRoute()
  const checkpoints = useCheckpoints()
  const datasets = useDatasets()
  const failed = checkpoints.error ?? datasets.error
  if (failed) return <div className={styles.alone}><ErrorNote error={failed} onRetry={() => { void checkpoints.refetch(); void datasets.refetch() }} /></div>
  if (!checkpoints.data || !datasets.data) return <Loading>Loading checkpoints</Loading>
  const choice = choose(checkpoints.data, datasets.data, params)
  if (choice) return <Chosen choice={choice} checkpoints={checkpoints.data} datasets={datasets.data} />
  if (datasets.data.length === 0) {
    return (
      <EmptyState icon={Scale} title="Nothing to compare on yet" actions={<ButtonLink kind="primary" href={formatHash('library')}>Go to Library</ButtonLink>}>
        Import a dataset first: checkpoints are compared by where they look on its images.
      </EmptyState>
    )
  }
  return (
    <EmptyState icon={Scale} title="Two checkpoints are needed" actions={<><ButtonLink kind="primary" href={formatHash('train')}>Train one</ButtonLink><ButtonLink href={formatHash('checkpoints', { import: 'open' })}>Import one</ButtonLink></>}>
      There {checkpoints.data.length === 1 ? 'is one' : 'are none'} in this project. Train a run or import weights; then see here what one fixed and what it broke.
    </EmptyState>
  )
}

function Chosen({ choice, checkpoints, datasets }: { choice: Choice; checkpoints: readonly Checkpoint[]; datasets: readonly Dataset[] }) {
  const { a, b, dataset, split } = choice
  const comparison = useQuery({
    queryKey: keys.comparison(dataset.id, a.id, b.id, split ?? ALL),
    queryFn: ({ signal }) => api.compare.get({ datasetId: dataset.id, a: a.id, b: b.id, ...(split === null ? {} : { split }) }, { signal }),
  })
  const data = comparison.data
  const missing = data?.missing ?? 0
  useStatus(data ? <><span>{missing === 0 ? 'Scores of both checkpoints complete' : `${counted(missing, 'region')} not scored by both`}</span>{data.headline ? <span>bootstrap over images, {count(data.bootstrapDraws)} draws</span> : null}</> : null)
  const names = checkpoints.map((checkpoint) => ({ value: checkpoint.id, label: checkpoint.name }))
  const results = () => {
    if (a.id === b.id) return <EmptyState icon={Scale} title="Both sides are the same checkpoint">Choose another for A or B.</EmptyState>
    if (comparison.error) return <div className={styles.alone}><ErrorNote error={comparison.error} onRetry={() => void comparison.refetch()} /></div>
    if (!data) return <Loading>Comparing</Loading>
    if (data.headline) return <Results comparison={data} a={a} b={b} dataset={dataset} split={split} />
    if (missing > 0) return <MissingScores comparison={data} a={a} b={b} dataset={dataset} split={split} />
    return <EmptyState icon={Scale} title="No regions here">This part of {dataset.name} has no regions. Choose another split or dataset.</EmptyState>
  }
  return (
    <div className={styles.screen}>
      <div className={styles.bar}>
        <Select look="soft" label="Checkpoint A, the reference" prefix={<Letter of="A" />} value={a.id} options={names} onChange={(id) => setParams({ a: id, b: id === b.id ? a.id : b.id, region: null })} />
        <IconButton icon={ArrowLeftRight} label="Swap A and B" size="s" onClick={() => setParams({ a: b.id, b: a.id, region: null })} />
        <Select look="soft" label="Checkpoint B, the one in question" prefix={<Letter of="B" />} value={b.id} options={names} onChange={(id) => setParams({ b: id, a: id === a.id ? b.id : a.id, region: null })} />
        <span className={styles.line} />
        <span className="c2 t12">on</span>
        <Select look="soft" label="Dataset" value={dataset.id} options={datasets.map((entry) => ({ value: entry.id, label: entry.name }))} onChange={(id) => setParams({ dataset: id, split: null, region: null })} />
        <Select look="soft" label="Split" value={split ?? ALL} options={[{ value: ALL, label: 'All splits' }, ...Object.keys(dataset.splits).map((name) => ({ value: name, label: name, detail: count(dataset.splits[name] ?? 0) }))]} onChange={(value) => setParams({ split: value, region: null })} />
        {data ? <Tag tone="line">{data.protocol}</Tag> : null}
        <span className="grow" />
        {data ? <span className={cx('t12 c3', styles.wide)}>{counted(data.regions, 'phrase')} · {counted(data.images, 'image')}</span> : null}
      </div>
      {results()}
    </div>
  )
}
