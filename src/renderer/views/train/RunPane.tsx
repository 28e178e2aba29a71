import type { Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { Pane } from '../../ui/Pane.tsx'
import { Alerts } from './Alerts.tsx'
import { Curves } from './Curves.tsx'
import { Outcome } from './Outcome.tsx'
import { Probes } from './Probes.tsx'
import { RunHead } from './RunHead.tsx'

export function RunPane({ run, runs, onSetup, onDuplicate }: { run: Run; runs: readonly Run[]; onSetup: () => void; onDuplicate: () => void }) {
  return (
    <Pane label={t('Run {number}', { number: run.number })}>
      <RunHead run={run} onSetup={onSetup} onDuplicate={onDuplicate} />
      <Alerts run={run} />
      <Outcome run={run} />
      <Curves run={run} runs={runs} />
      <Probes run={run} />
    </Pane>
  )
}
