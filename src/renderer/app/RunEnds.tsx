import { useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'
import type { Checkpoint, Dataset, Run } from '../../shared/domain.ts'
import { t } from '../../shared/messages/messages.ts'
import { api } from '../state/engine.ts'
import { useEngineEvents } from '../state/events.ts'
import { keys } from '../state/queries.ts'
import { comparisonLink, comparisonOf } from '../state/run-comparison.ts'
import { toast } from '../ui/toast.tsx'
import { parseHash } from './routes.ts'

/** Whoever is on another screen when a run finishes hears of it, and where it began from a checkpoint, the comparison is offered. */
export function RunEnds() {
  const client = useQueryClient()
  const states = useRef(new Map<string, Run['state']>())
  const tell = async (run: Run) => {
    // The checkpoint that came last may not be in the list yet.
    const [checkpoints, datasets] = await Promise.all([
      client.fetchQuery<readonly Checkpoint[]>({ queryKey: keys.checkpoints, queryFn: () => api.checkpoints.list({}), staleTime: 0 }),
      client.fetchQuery<readonly Dataset[]>({ queryKey: keys.datasets, queryFn: () => api.datasets.list({}) }),
    ])
    const comparison = comparisonOf(run, checkpoints, datasets)
    const go = (hash: string) => { window.location.hash = hash }
    toast({
      tone: 'positive', title: t('Run {number} is finished', { number: run.number }), ...(comparison ? { detail: t('Compare its best checkpoint with {start}, which it began from.', { start: comparison.start.name }) } : {}),
      action: comparison ? { label: t('Compare'), run: () => go(comparisonLink(comparison)) } : { label: t('Show'), run: () => go(`#/train?run=${run.id}`) },
    })
  }
  useEngineEvents((event) => {
    if (event.type !== 'run.progressed') return
    const { run } = event
    const before = states.current.get(run.id)
    states.current.set(run.id, run.state)
    if (run.state !== 'finished' || before === undefined || before === 'finished' || parseHash(window.location.hash).screen === 'train') return
    void tell(run).catch(() => undefined) // the run's own page says it too
  })
  return null
}
