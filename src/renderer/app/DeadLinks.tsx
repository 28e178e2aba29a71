import { useEffect, useRef, useState } from 'react'
import { t } from '../../shared/messages/messages.ts'
import { useCheckpoints, useDatasets, useRuns } from '../state/queries.ts'
import { toast } from '../ui/toast.tsx'
import { createDeadLinks, type Named } from './dead-link.ts'
import { useRoute } from './routes.ts'

const SETTLED_MS = 1500
const idsOf = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id)

/** Says so when an address names what is not there; the screen shows what it usually does. */
export function DeadLinks() {
  const route = useRoute()
  const [datasets, runs, checkpoints] = [useDatasets(), useRuns(), useCheckpoints()]
  const [deadIn] = useState(createDeadLinks)
  // As it was come by: a screen may put what it shows instead into the address at once.
  const come = useRef(new Set<string>())
  const hash = window.location.hash
  useEffect(() => {
    come.current.add(hash)
    const lists = { dataset: datasets.data, run: runs.data, checkpoint: checkpoints.data }
    if (!lists.dataset || !lists.run || !lists.checkpoint || datasets.isFetching || runs.isFetching || checkpoints.isFetching) return
    const ids = { dataset: idsOf(lists.dataset), run: idsOf(lists.run), checkpoint: idsOf(lists.checkpoint) }
    // What was made a moment ago is in the address before it is in the list.
    const timer = window.setTimeout(() => {
      const dead = [...come.current].flatMap((one) => deadIn(one, ids))
      come.current.clear()
      if (dead.length > 0) toast({ tone: 'info', title: t('This link leads to nothing here'), detail: dead.map(words).join(' ') })
    }, SETTLED_MS)
    return () => window.clearTimeout(timer)
  }, [route, hash, datasets.data, runs.data, checkpoints.data, datasets.isFetching, runs.isFetching, checkpoints.isFetching])
  return null
}

function words({ kind, id }: Named): string {
  switch (kind) {
    case 'screen': return t('There is no such screen. This is the library.')
    case 'run': return t('Run {id} is not in this project.', { id })
    case 'checkpoint': return t('Checkpoint {id} is not in this project.', { id })
    case 'dataset': return t('Dataset {id} is not in this project.', { id })
  }
}
