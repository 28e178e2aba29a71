import { useQuery } from '@tanstack/react-query'
import { Star } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { bytes, count, fixed, percent } from '../../app/format.ts'
import { formatHash } from '../../app/routes.ts'
import { api, type Api } from '../../state/engine.ts'
import { useEngineEvents } from '../../state/events.ts'
import { keys, useCheckpoints } from '../../state/queries.ts'
import { cx } from '../../ui/cx.ts'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Pane, PaneHead, Section } from '../../ui/Pane.tsx'
import { Bar } from '../../ui/Progress.tsx'
import table from '../../ui/table.module.css'
import { Judged } from './Judged.tsx'
import { RunData } from './RunData.tsx'
import { RunNotes } from './RunNotes.tsx'
import { RunLog } from './RunLog.tsx'
import { Spark } from './Spark.tsx'
import { useLacksVal } from './no-val.ts'
import { isActive } from './states.ts'
import styles from './train.module.css'

type Machine = Awaited<ReturnType<Api['machine']['now']>>
const POLL_MS = 2_000
const KEPT = 60

export function MachinePane({ run }: { run: Run | null }) {
  const machine = useQuery({ queryKey: keys.machine, queryFn: ({ signal }) => api.machine.now({}, { signal }), refetchInterval: POLL_MS, staleTime: 0 })
  const [history, setHistory] = useState<readonly Machine[]>([])
  useEffect(() => {
    if (machine.data) setHistory((old) => [...old, machine.data].slice(-KEPT))
  }, [machine.data, machine.dataUpdatedAt])
  return (
    <Pane label={t('Machine')}>
      <PaneHead title={t('This machine')} />
      <div className="scroll grow">
        <Section>
          {machine.error ? <ErrorNote error={machine.error} compact /> : machine.data ? <Meters now={machine.data} history={history} dataWait={run && isActive(run.state) ? run.dataWaitShare : null} /> : <p className="t12 c2">{t('Measuring')}</p>}
        </Section>
        {run ? <RunCheckpoints run={run} /> : null}
        {run ? <RunData key={`data ${run.id}`} run={run} /> : null}
        {run ? <RunNotes key={run.id} run={run} /> : null}
        {run ? <RunLog run={run} live={isActive(run.state)} /> : null}
      </div>
    </Pane>
  )
}

function Meters({ now, history, dataWait }: { now: Machine; history: readonly Machine[]; dataWait: number | null }) {
  return (
    <>
      {now.gpu ? (
        <>
          <Meter name={t('GPU')} value={percent(now.gpu.share)} detail={now.gpu.name}><Spark values={history.map((point) => point.gpu?.share ?? 0)} label={t('GPU use')} /></Meter>
          <Meter name={t('GPU memory')} value={bytes(now.gpu.memoryUsedBytes)} detail={t('of {size}', { size: bytes(now.gpu.memoryTotalBytes) })}><Bar share={now.gpu.memoryUsedBytes / Math.max(1, now.gpu.memoryTotalBytes)} /></Meter>
        </>
      ) : null}
      <Meter name={t('CPU')} value={percent(now.cpuShare)} detail={t('{n, plural, one {# core} other {# cores}}', { n: now.cores })}><Spark values={history.map((point) => point.cpuShare)} label={t('CPU use')} /></Meter>
      <Meter name={t('Memory')} value={bytes(now.memoryUsedBytes)} detail={t('of {size}', { size: bytes(now.memoryTotalBytes) })}><Bar share={now.memoryUsedBytes / Math.max(1, now.memoryTotalBytes)} /></Meter>
      {dataWait === null ? null : <Meter name={t('Waiting for data')} value={percent(dataWait)} detail={t('of training time')}><Bar share={dataWait} tone={dataWait >= 0.3 ? 'warning' : 'accent'} /></Meter>}
      <p className={cx('hint', styles.processes)}>{t('Engine {engine} · model {model}', { engine: bytes(now.engineBytes), model: bytes(now.computeBytes) })}</p>
    </>
  )
}

function Meter({ name, value, detail, children }: { name: string; value: string; detail: string; children: React.ReactNode }) {
  return (
    <div className={styles.meter}>
      <div className="row t12"><span className="c2">{name}</span><span className="med push nowrap">{value}</span><span className="c3 trunc">{detail}</span></div>
      {children}
    </div>
  )
}

/** The checkpoints this run has kept, newest first, the best with a star. */
function RunCheckpoints({ run }: { run: Run }) {
  const checkpoints = useCheckpoints()
  useEngineEvents((event) => {
    if (event.type === 'run.progressed' && event.run.id === run.id && event.run.state !== run.state) void checkpoints.refetch()
  })
  const disk = useQuery({ queryKey: [...keys.runDisk(run.id), run.lastSavedStep, run.state], queryFn: ({ signal }) => api.runs.disk({ id: run.id }, { signal }), placeholderData: (previous) => previous })
  const lacksVal = useLacksVal(run)
  const own = (checkpoints.data ?? []).filter((checkpoint) => checkpoint.runId === run.id).sort((a, b) => (b.step ?? 0) - (a.step ?? 0))
  const find = (metrics: Readonly<Record<string, number>>, what: RegExp) => Object.entries(metrics).find(([name]) => what.test(name))?.[1]
  const protocol = own.flatMap((checkpoint) => Object.keys(checkpoint.metrics)).find((name) => /pointing/i.test(name))?.split(',').slice(1).join(',').trim()
  return (
    <Section title={t('Checkpoints')} aside={own.length > 0 ? t('{n} kept', { n: own.length }) : undefined}>
      {own.length === 0 ? <p className="t12 c2">{isActive(run.state) || run.state === 'waiting' ? lacksVal ? t('The data has no val split: the first is kept where the first validation would be, or when the run stops.') : t('The first is kept at the first validation.') : t('None was kept.')}</p> : (
        <>
          <table className={cx(table.table, table.dense, table.flush, styles.kept)}>
            <thead><tr><th>{t('Step')}</th><th className={table.num}>{t('Pointing')}</th><th className={table.num}>{t('Consistency')}</th></tr></thead>
            <tbody>
              {own.map((checkpoint) => {
                const pointing = find(checkpoint.metrics, /pointing/i)
                const consistency = find(checkpoint.metrics, /consistency/i)
                return (
                  <tr key={checkpoint.id}>
                    <td><a className={styles.step} href={formatHash('checkpoints', { id: checkpoint.id })}>{checkpoint.step === null ? checkpoint.name : count(checkpoint.step)}</a>{checkpoint.best ? <span className={styles.best}><Icon of={Star} size="xs" />{t('best')}</span> : null}</td>
                    <td className={table.num}>{pointing === undefined ? '–' : percent(pointing, 1)}</td>
                    <td className={table.num}>{consistency === undefined ? '–' : fixed(consistency)}</td>
                  </tr>
                )
              })}
            </tbody>
          </table>
          {protocol ? <p className="hint" style={{ marginTop: 4 }}>{protocol}</p> : null}
        </>
      )}
      <Judged run={run} best={own.find((checkpoint) => checkpoint.best)} />
      {disk.data && disk.data.bytes > 0 ? (
        <p className="hint" style={{ marginTop: 4 }}>
          {disk.data.stateBytes > 0
            ? t('{size} on disk: checkpoints {checkpoints}, state {state}.', { size: bytes(disk.data.bytes), checkpoints: bytes(disk.data.checkpointBytes), state: bytes(disk.data.stateBytes) })
            : t('{size} on disk.', { size: bytes(disk.data.bytes) })}
          {disk.data.cleared > 0 ? <> {t('{n, plural, one {# older checkpoint} other {# older checkpoints}} cleared away, {size} freed.', { n: disk.data.cleared, size: bytes(disk.data.clearedBytes) })}</> : null}
        </p>
      ) : null}
    </Section>
  )
}
