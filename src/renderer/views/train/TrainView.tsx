import { Activity, SlidersHorizontal } from 'lucide-react'
import { useState } from 'react'
import type { Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count } from '../../app/format.ts'
import { setParams, useRoute } from '../../app/routes.ts'
import { useStatus } from '../../app/status.ts'
import { useRuns } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { EmptyState, ErrorNote, Loading } from '../../ui/Notes.tsx'
import { Pane } from '../../ui/Pane.tsx'
import { MachinePane } from './MachinePane.tsx'
import { NextRun } from './NextRun.tsx'
import { RunPane } from './RunPane.tsx'
import { RunQueue } from './RunQueue.tsx'
import { isActive } from './states.ts'
import styles from './train.module.css'

/** The run that is shown: the one asked for, else the one under way, else the newest. */
function chooseRun(runs: readonly Run[], asked: string | undefined): Run | null {
  const newest = [...runs].sort((a, b) => b.number - a.number)
  return runs.find((run) => run.id === asked) ?? runs.find((run) => isActive(run.state)) ?? newest[0] ?? null
}

export function TrainView() {
  const { params } = useRoute()
  const runs = useRuns()
  /** The run whose settings the form is to show; counted, so that the same one can be asked for again. */
  const [copied, setCopied] = useState<{ readonly run: Run; readonly asked: number } | null>(null)
  const [setupOpen, setSetupOpen] = useState(params.start !== undefined || params.dataset !== undefined)
  const asked = params.dataset === undefined ? null : params.view === undefined ? params.dataset : `${params.dataset}/${params.view}`
  const run = runs.data ? chooseRun(runs.data, params.run) : null
  useStatus(run?.lastSavedStep != null ? <span>{t('State saved at step {step}', { step: count(run.lastSavedStep) })}</span> : null)

  const openSetup = () => setSetupOpen(true)
  const duplicate = (from: Run) => {
    setCopied((old) => ({ run: from, asked: (old?.asked ?? 0) + 1 }))
    setSetupOpen(true)
  }
  return (
    <div className={cx(styles.screen, setupOpen && styles.setupOpen)}>
      <Pane label={t('Next run')} className={styles.setup}>
        <NextRun copied={copied} onCopy={duplicate} runs={runs.data ?? []} startId={params.start ?? null} datasetId={asked} changed={params.changed === '1'} onOpen={openSetup} onClose={() => setSetupOpen(false)} onAdded={(added) => { setSetupOpen(false); setParams({ run: added.id, start: null, dataset: null, view: null, changed: null }) }}>
          <RunQueue runs={runs.data ?? []} shownId={run?.id ?? null} />
        </NextRun>
      </Pane>
      {runs.isPending ? <Pane label={t('Run')}><Loading>{t('Loading runs')}</Loading></Pane> : runs.error ? (
        <Pane label={t('Run')}><div className={styles.pad}><ErrorNote error={runs.error} onRetry={() => void runs.refetch()} /></div></Pane>
      ) : run ? (
        <RunPane key={run.id} run={run} runs={runs.data} onSetup={openSetup} onDuplicate={() => duplicate(run)} />
      ) : (
        <Pane label={t('Run')}>
          <EmptyState icon={Activity} title={t('No runs yet')} actions={<span className={styles.narrowOnly}><Button kind="primary" icon={SlidersHorizontal} onClick={openSetup}>{t('Set up a run')}</Button></span>}>
            {t('Choose a preset and a dataset, look at what it needs, and add it to the queue. Curves and heatmaps of probe samples appear here while it trains.')}
          </EmptyState>
        </Pane>
      )}
      <MachinePane run={run} />
    </div>
  )
}
