import { useQuery } from '@tanstack/react-query'
import type { Run } from '../../../shared/domain.ts'
import { engineText } from '../../../shared/messages/engine-text.ts'
import { t } from '../../../shared/messages/messages.ts'
import { when } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { useEngineEvents } from '../../state/events.ts'
import { keys } from '../../state/queries.ts'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Section } from '../../ui/Pane.tsx'
import styles from './train.module.css'

const SHOWN = 40

export function RunLog({ run, live }: { run: Run; live: boolean }) {
  const log = useQuery({ queryKey: keys.runLog(run.id), queryFn: ({ signal }) => api.runs.log({ id: run.id }, { signal }), refetchInterval: live ? 5_000 : false, staleTime: 0 })
  useEngineEvents((event) => {
    if (event.type === 'run.progressed' && event.run.id === run.id && event.run.state !== run.state) void log.refetch()
  })
  const lines = (log.data ?? []).slice(-SHOWN).reverse()
  return (
    <Section title={t('Log')}>
      {log.error ? <ErrorNote error={log.error} compact onRetry={() => void log.refetch()} /> : lines.length === 0 ? <p className="t12 c2">{log.isPending ? '' : t('Nothing yet.')}</p> : (
        <ol className={styles.log}>
          {lines.map((line, i) => <li key={lines.length - i}><span className="c3 nowrap">{when(line.at)}</span><span data-selectable>{engineText(line.text)}</span></li>)}
        </ol>
      )}
    </Section>
  )
}
