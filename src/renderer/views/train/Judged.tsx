import type { Checkpoint, Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count } from '../../app/format.ts'
import { useRunMetrics } from '../../state/metrics.ts'
import { judgeOf, measureText, waited } from './judged.ts'
import { NO_VAL_BEST, useLacksVal } from './no-val.ts'
import { isActive } from './states.ts'
import styles from './train.module.css'

/** By what one checkpoint counts as the best, and when the run ends by itself. */
export function Judged({ run, best }: { run: Run; best: Checkpoint | undefined }) {
  const { metrics } = useRunMetrics(run.id)
  const judge = judgeOf(run.config)
  const series = metrics.series.get(`val.${judge.measure}`)
  const at = series && best ? series.steps.indexOf(best.step ?? -1) : -1
  const lacksVal = useLacksVal(run)
  const isOver = !isActive(run.state) && run.state !== 'waiting'
  const since = series ? waited(series, judge.leastGain) : 0
  if (lacksVal) return <div className={styles.judged} data-testid="judged"><p className="hint">{NO_VAL_BEST}</p></div>
  return (
    <div className={styles.judged} data-testid="judged">
      {at >= 0 ? <p className="hint">{t('Best by {measure} on val: {value} at step {step}.', { measure: judge.name, value: measureText(judge.measure, series!.values[at]!), step: count(best!.step!) })}</p>
        : best && !series && metrics.loaded ? <p className="hint">{t('Nothing was validated, so the newest counts as the best.')}</p> : null}
      {judge.patience === null ? isOver ? null : <p className="hint">{t('All steps are made: ending early is off.')}</p>
        : run.state === 'finished' && run.step < run.totalSteps
          ? <p className="hint">{t('Ended early: {measure} had not risen for {n, plural, one {# validation} other {# validations}}.', { measure: judge.name, n: since })}</p>
          : run.state === 'finished' ? null : <p className="hint">{judge.leastGain > 0
            ? t('Ends early once {measure} has not risen by more than {least} for {n, plural, one {# validation} other {# validations}}; now {since}.', { measure: judge.name, least: judge.leastGain, n: judge.patience, since })
            : t('Ends early once {measure} has not risen for {n, plural, one {# validation} other {# validations}}; now {since}.', { measure: judge.name, n: judge.patience, since })}</p>}
    </div>
  )
}
