import { useState } from 'react'
import { useStore } from 'zustand'
import type { Dataset } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count } from '../../app/format.ts'
import { useStatus } from '../../app/status.ts'
import { cx } from '../../ui/cx.ts'
import { Banner } from './Banner.tsx'
import { Canvases } from './Canvases.tsx'
import { DemoOnly } from './DemoOnly.tsx'
import { FailedEdits } from './FailedEdits.tsx'
import { HeatBar } from './HeatBar.tsx'
import { Inspector } from './Inspector.tsx'
import { QueuePane } from './QueuePane.tsx'
import { Toolbar } from './Toolbar.tsx'
import { useCurateCommands } from './use-curate-commands.ts'
import { useWorkbench } from './use-workbench.ts'
import styles from './curate.module.css'

export function Curate({ dataset }: { dataset: Dataset }) {
  const work = useWorkbench(dataset)
  const [queueOpen, setQueueOpen] = useState(false)
  const total = useStore(work.queue.store, (state) => state.total)
  const reviewed = useStore(work.queue.store, (state) => state.reviewed)
  useCurateCommands(work)
  const computeMs = work.heat.heat?.computeMs ?? 0
  useStatus(
    <>
      <span>{dataset.name}</span>
      <span>{t('{reviewed} of {total, plural, one {# region} other {# regions}} decided', { reviewed: count(reviewed), total })}</span>
    </>,
    work.heat.heat ? <span>{work.heat.heat.stored || computeMs === 0 ? t('Heat from the store') : t('Heat in {n} ms', { n: count(computeMs) })}</span> : null,
  )
  return (
    <div className={cx(styles.curate, queueOpen && styles.queueOpen)}>
      <QueuePane work={work} open={queueOpen} onToggle={() => setQueueOpen((open) => !open)} />
      <section className={styles.center} aria-label={t('Canvas')}>
        <Toolbar work={work} />
        <FailedEdits />
        <Banner work={work} />
        <Canvases work={work} />
        <DemoOnly work={work} />
        <HeatBar work={work} />
      </section>
      <Inspector work={work} />
      <div className="visually-hidden" aria-live="polite">{work.announcement}</div>
    </div>
  )
}
