import { CircleAlert, TriangleAlert } from 'lucide-react'
import { useMemo } from 'react'
import type { Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { runAlerts } from '../../../shared/run-alerts.ts'
import { count } from '../../app/format.ts'
import { useRunMetrics } from '../../state/metrics.ts'
import { cx } from '../../ui/cx.ts'
import { Icon } from '../../ui/Icon.tsx'
import styles from './train.module.css'

/** What is going wrong in this run, each with what to do, in the order of how much it matters. */
export function Alerts({ run }: { run: Run }) {
  const { metrics, version } = useRunMetrics(run.id)
  const alerts = useMemo(() => runAlerts(metrics.recent, run.config, run.totalSteps), [metrics, version, run.config, run.totalSteps])
  if (alerts.length === 0) return null
  return (
    <section className={styles.alerts} aria-label={t('Alerts')} aria-live="polite">
      {alerts.map((alert) => (
        <details key={alert.kind} className={cx(styles.alert, alert.severe && styles.severe)} data-testid={`alert-${alert.kind}`}>
          <summary>
            <span className={alert.severe ? 'neg' : 'warn'}><Icon of={alert.severe ? CircleAlert : TriangleAlert} /></span>
            <span className="med nowrap">{alert.title}</span>
            <span className="c2 trunc">{alert.message}</span>
            <span className="c3 nowrap">{t('step {step}', { step: count(alert.step) })}</span>
          </summary>
          <p data-selectable>{alert.message}</p>
          <p className="c2" data-selectable>{alert.cure}</p>
        </details>
      ))}
    </section>
  )
}
