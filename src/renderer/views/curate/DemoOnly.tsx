import { Info } from 'lucide-react'
import { formatHash } from '../../app/routes.ts'
import { useDatasets, useRuns } from '../../state/queries.ts'
import { Icon } from '../../ui/Icon.tsx'
import { rich } from '../../ui/rich.tsx'
import { knowsOnlyDemo } from './demo-only.ts'
import type { Workbench } from './workbench.ts'
import styles from './curate.module.css'

/** Under heat that means nothing: the demo's model looks at a photograph as surely as at its own scenes. */
export function DemoOnly({ work: { chosen, dataset } }: { work: Workbench }) {
  const datasets = useDatasets()
  const runs = useRuns()
  const strangers = dataset.demo ? [] : chosen.filter((checkpoint) => knowsOnlyDemo(checkpoint, datasets.data ?? [], runs.data ?? []))
  if (strangers.length === 0) return null
  return (
    <p className={styles.demoOnly} role="note" data-testid="demo-only">
      <Icon of={Info} size="s" />
      <span>{rich('{n, plural, one {“{name}” knows only the demo’s drawn scenes} other {These checkpoints know only the demo’s drawn scenes}}: heat and scores here mean little. <train>Train one</train> on this dataset, or <import>import one</import>.', {
        n: strangers.length, name: strangers[0]!.name,
        train: (inside) => <a key="train" href={formatHash('train', { dataset: dataset.id })}>{inside}</a>, import: (inside) => <a key="import" href={formatHash('checkpoints', { import: 'open' })}>{inside}</a>,
      })}</span>
    </p>
  )
}
