import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import type { Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { fixed, short } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { useEngineEvents } from '../../state/events.ts'
import { keys } from '../../state/queries.ts'
import { cx } from '../../ui/cx.ts'
import { ErrorNote } from '../../ui/Notes.tsx'
import { HeatThumb } from '../../ui/HeatThumb.tsx'
import { Ramp } from '../../ui/Ramp.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import { heatWords, pickFrames } from './curves.ts'
import { Film } from './Film.tsx'
import { NO_VAL, useLacksVal } from './no-val.ts'
import { isActive, isResumable } from './states.ts'
import styles from './train.module.css'

const COLUMNS = 7

/** A strip of the same few samples, their heat drawn anew at each validation: what the curves mean. */
export function Probes({ run }: { run: Run }) {
  const probes = useQuery({ queryKey: keys.probes(run.id), queryFn: ({ signal }) => api.runs.probes({ id: run.id }, { signal }) })
  useEngineEvents((event) => {
    const validated = event.type === 'run.measured' && event.runId === run.id && event.rows.some((row) => Object.keys(row.values).some((name) => name.startsWith('val.')))
    if (validated || (event.type === 'run.progressed' && event.run.id === run.id && event.run.state !== run.state)) void probes.refetch()
  })
  const lacksVal = useLacksVal(run)
  const [mode, setMode] = useState<'strip' | 'film'>('strip')
  const frames = useMemo(() => pickFrames((probes.data?.frames ?? []).map((frame, index) => ({ frame, index })), COLUMNS), [probes.data])
  return (
    <section className={styles.probes} aria-label={t('Probe samples')}>
      <div className={styles.probeHead}>
        <h3 className="t12 strong">{t('Probe samples')}</h3>
        <span className="c3 t12 trunc">{probes.data && probes.data.frames.length > frames.length && mode === 'strip'
          ? t('heat at each validation, own scale; {shown} of {n} shown', { shown: frames.length, n: probes.data.frames.length }) : t('heat at each validation, own scale')}</span>
        <span className="grow" />
        {frames.length > 0 ? <Segmented small label={t('Show as')} value={mode} onChange={setMode} options={[{ value: 'strip', label: t('Strip') }, { value: 'film', label: t('Film') }]} /> : null}
        <Ramp />
      </div>
      {probes.error ? <ErrorNote error={probes.error} compact onRetry={() => void probes.refetch()} /> : !probes.data || frames.length === 0 ? (
        <p className={cx('t12 c2', styles.probesEmpty)}>{probes.isPending ? '' : lacksVal ? NO_VAL : run.state === 'waiting' ? t('Heatmaps of a few samples appear here when the run begins.') : isActive(run.state) || isResumable(run) && run.state !== 'failed' ? t('The first validation draws them here.') : t('There was no validation, so nothing was drawn.')}</p>
      ) : mode === 'film' ? <Film probes={probes.data} /> : (
        <div className={cx('scroll', styles.strip)} tabIndex={0} role="region" aria-label={t('Heat of each probe sample at each validation')}>
          <div className={cx(styles.probe, styles.steps)} aria-hidden="true">
            <span className={styles.lead}>{t('step')}</span>
            {frames.map(({ frame, index }) => <span key={frame.step} className={index === probes.data.frames.length - 1 ? 'acc' : ''}>{frame.step === 0 ? t('start') : short(frame.step)}</span>)}
          </div>
          {probes.data.samples.map((sample, i) => (
            <div key={sample.regionId} className={styles.probe}>
              <div className={styles.subject}>
                <span className={styles.cell}><HeatThumb imageId={sample.imageId} image={sample} boxes={sample.boxes} label={sample.phrase} /></span>
                <span className={styles.phrase}>{sample.phrase}</span>
              </div>
              {frames.map(({ frame, index }) => {
                const heat = frame.heat[i]
                return (
                  <span key={frame.step} className={cx(styles.cell, index === probes.data.frames.length - 1 && styles.now)}>
                    {heat ? (
                      <>
                        <HeatThumb imageId={sample.imageId} image={sample} grid={heat.grid} peak={heat.peak} boxes={sample.boxes} label={heatWords(sample.phrase, frame.step, heat)} />
                        <span className={styles.cellValue} aria-hidden="true">{fixed(heat.insideEnergy)}</span>
                      </>
                    ) : null}
                  </span>
                )
              })}
            </div>
          ))}
        </div>
      )}
    </section>
  )
}
