import { useQueries } from '@tanstack/react-query'
import { useMemo } from 'react'
import { letter } from '../../../shared/charts/captions.ts'
import { scoreRegion, prepareHeat } from '../../../shared/consistency.ts'
import type { Checkpoint } from '../../../shared/domain.ts'
import { sharedRange } from '../../canvas/heat.ts'
import { count, counted, fixed, measured, signed } from '../../app/format.ts'
import { useCheckpoints, useRuns } from '../../state/queries.ts'
import { cx } from '../../ui/cx.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { HeatThumb } from '../../ui/HeatThumb.tsx'
import { ErrorNote, Loading } from '../../ui/Notes.tsx'
import { Ramp } from '../../ui/Ramp.tsx'
import type { Row } from './pick.ts'
import { heatQuery, usePlace } from './use-pair.ts'
import styles from './compare.module.css'

/** One phrase under every checkpoint that a run kept, by step: when did it learn to look there? All on one scale. */
export function Timeline({ row, checkpoint, place, onClose }: { row: Row; checkpoint: Checkpoint; place: number; onClose: () => void }) {
  const checkpoints = useCheckpoints()
  const run = useRuns().data?.find((one) => one.id === checkpoint.runId)
  const kept = useMemo(() => (checkpoints.data ?? []).filter((one) => one.runId === checkpoint.runId).sort((x, y) => (x.step ?? 0) - (y.step ?? 0)), [checkpoints.data, checkpoint.runId])
  const { image, region, error } = usePlace(row)
  const heats = useQueries({ queries: kept.map((one) => heatQuery(row, one.id, true)) })
  const grids = heats.flatMap((heat) => (heat.data ? [heat.data.grid] : []))
  const scale = grids.length > 0 ? sharedRange(grids) : null
  const arrived = heats.map((heat) => heat.dataUpdatedAt).join()
  const scored = useMemo(() => heats.map(({ data }) => (data && region && image ? scoreRegion(prepareHeat({ ...data.grid, values: Float32Array.from(data.grid.values) }, data.peak, data.maskSize), region, image) : null)), [region, image, arrived])
  const epochOf = (step: number | null): string | null => (run && step !== null && run.step > 0 ? fixed((run.epoch / run.step) * step, 1) : null)
  const failed = error ?? heats.find((heat) => heat.error)?.error
  return (
    <Dialog open onClose={onClose} title={`“${row.phrase}” across ${run?.name ?? 'the run'}`} width="wide" closable
      description={`${counted(kept.length, 'kept checkpoint')} of the run that ${letter(place)}, ${checkpoint.name}, is from; all drawn on one scale.`}>
      {failed ? <ErrorNote error={failed} /> : null}
      {!checkpoints.data || !image ? <Loading>Loading the checkpoints</Loading> : (
        <ol className={styles.film} data-testid="timeline">
          {kept.map((one, i) => {
            const scores = scored[i]
            const before = scored[i - 1]
            return (
              <li key={one.id} className={cx(styles.frame, one.id === checkpoint.id && styles.ownFrame)} aria-current={one.id === checkpoint.id || undefined}>
                <span className={styles.framePicture}><HeatThumb imageId={row.imageId} image={image} grid={heats[i]!.data?.grid ?? null} scale={scale ?? 'own'} peak={heats[i]!.data?.peak ?? null} boxes={region?.boxes ?? []} label={`Step ${one.step ?? '–'}: ${scores ? `${scores.pointingHit ? 'hit' : 'miss'}, consistency ${fixed(scores.insideEnergy)}` : 'working out the heat'}`} /></span>
                <span className="row t12"><span className="med">step {count(one.step ?? 0)}</span>{epochOf(one.step) === null ? null : <span className="c3 push">epoch {epochOf(one.step)}</span>}</span>
                <span className="row t12">{scores ? <><span className={scores.pointingHit ? 'pos' : 'neg'}>{scores.pointingHit ? 'hit' : 'miss'}</span><span className="c2 num push">{fixed(scores.insideEnergy)}{before ? ` (${signed(scores.insideEnergy - before.insideEnergy)})` : ''}</span></> : <span className="c3">working out the heat</span>}</span>
              </li>
            )
          })}
        </ol>
      )}
      <div className="row t12 c2">{scale ? <Ramp low={measured(scale.low)} high={measured(scale.high)} /> : <Ramp />}<span>One scale for all; the number is consistency, the share of the heat inside the boxes, and its change from the one before.</span></div>
    </Dialog>
  )
}
