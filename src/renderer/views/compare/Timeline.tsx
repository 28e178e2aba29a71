import { useQueries } from '@tanstack/react-query'
import { useMemo } from 'react'
import { letter } from '../../../shared/charts/captions.ts'
import { scoreRegion, prepareHeat } from '../../../shared/consistency.ts'
import type { Checkpoint, Scores } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { sharedRange } from '../../canvas/heat.ts'
import { count, fixed, measured, signed } from '../../app/format.ts'
import { useCheckpoints, useRuns } from '../../state/queries.ts'
import { cx } from '../../ui/cx.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { HeatThumb } from '../../ui/HeatThumb.tsx'
import { ErrorNote, Loading } from '../../ui/Notes.tsx'
import { Ramp } from '../../ui/Ramp.tsx'
import type { Row } from './pick.ts'
import { heatQuery, usePlace } from './use-pair.ts'
import styles from './compare.module.css'

function frameSaid(step: number | null, scores: Pick<Scores, 'pointingHit' | 'insideEnergy'> | null): string {
  const values = { step: step ?? '–', consistency: fixed(scores?.insideEnergy ?? NaN) }
  if (!scores) return t('Step {step}: working out the heat', { step: step ?? '–' })
  return scores.pointingHit ? t('Step {step}: hit, consistency {consistency}', values) : t('Step {step}: miss, consistency {consistency}', values)
}

/** One phrase under every checkpoint that a run kept, by step: when did it learn to look there? All on one scale. */
export function Timeline({ row, checkpoint, place, onClose }: { row: Row; checkpoint: Checkpoint; place: number; onClose: () => void }) {
  const checkpoints = useCheckpoints()
  const run = useRuns().data?.find((one) => one.id === checkpoint.runId)
  const kept = useMemo(() => (checkpoints.data ?? []).filter((one) => one.runId === checkpoint.runId).sort((x, y) => (x.step ?? 0) - (y.step ?? 0)), [checkpoints.data, checkpoint.runId])
  const { image, region, shape, error } = usePlace(row)
  const heats = useQueries({ queries: kept.map((one) => heatQuery(row, one.id, true)) })
  const grids = heats.flatMap((heat) => (heat.data ? [heat.data.grid] : []))
  const scale = grids.length > 0 ? sharedRange(grids) : null
  const arrived = heats.map((heat) => heat.dataUpdatedAt).join()
  const scored = useMemo(() => heats.map(({ data }) => (data && region && image ? scoreRegion(prepareHeat({ ...data.grid, values: Float32Array.from(data.grid.values) }, data.peak, data.maskSize), region, image) : null)), [region, image, arrived])
  const epochOf = (step: number | null): string | null => (run && step !== null && run.step > 0 ? fixed((run.epoch / run.step) * step, 1) : null)
  const failed = error ?? heats.find((heat) => heat.error)?.error
  return (
    <Dialog open onClose={onClose} title={t('“{phrase}” across {run}', { phrase: row.phrase, run: run?.name ?? t('the run') })} width="wide" closable
      description={t('{n, plural, one {# kept checkpoint} other {# kept checkpoints}} of the run that {letter}, {name}, is from; all drawn on one scale.', { n: kept.length, letter: letter(place), name: checkpoint.name })}>
      {failed ? <ErrorNote error={failed} /> : null}
      {!checkpoints.data || !image ? <Loading>{t('Loading the checkpoints')}</Loading> : (
        <ol className={styles.film} data-testid="timeline">
          {kept.map((one, i) => {
            const scores = scored[i]
            const before = scored[i - 1]
            return (
              <li key={one.id} className={cx(styles.frame, one.id === checkpoint.id && styles.ownFrame)} aria-current={one.id === checkpoint.id || undefined}>
                <span className={styles.framePicture}><HeatThumb imageId={row.imageId} image={image} grid={heats[i]!.data?.grid ?? null} scale={scale ?? 'own'} peak={heats[i]!.data?.peak ?? null} boxes={shape.boxes} outlines={shape.outlines} label={frameSaid(one.step, scores ?? null)} /></span>
                <span className="row t12"><span className="med">{t('step {step}', { step: count(one.step ?? 0) })}</span>{epochOf(one.step) === null ? null : <span className="c3 push">{t('epoch {epoch}', { epoch: epochOf(one.step)! })}</span>}</span>
                <span className="row t12">{scores ? <><span className={scores.pointingHit ? 'pos' : 'neg'}>{scores.pointingHit ? t('hit') : t('miss')}</span><span className="c2 num push">{fixed(scores.insideEnergy)}{before ? ` (${signed(scores.insideEnergy - before.insideEnergy)})` : ''}</span></> : <span className="c3">{t('working out the heat')}</span>}</span>
              </li>
            )
          })}
        </ol>
      )}
      <div className="row t12 c2">{scale ? <Ramp low={measured(scale.low)} high={measured(scale.high)} /> : <Ramp />}<span>{t('One scale for all; the number is consistency, the share of the heat inside the region, and its change from the one before.')}</span></div>
    </Dialog>
  )
}
