/** The engine's events: what was fetched and has changed is fetched again, and whoever listens hears of it. */
import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { EngineEvent } from '../../shared/contract/events.ts'
import type { Job, Run } from '../../shared/domain.ts'
import { api, connectionStore } from './engine.ts'
import { keys } from './queries.ts'

type Listener = (event: EngineEvent) => void
const listeners = new Set<Listener>()

export function onEngineEvent(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Hears every event while the component is mounted; the newest function is called. */
export function useEngineEvents(listener: Listener): void {
  const newest = useRef(listener)
  useEffect(() => {
    newest.current = listener
  })
  useEffect(() => onEngineEvent((event) => newest.current(event)), [])
}

/** Listens as long as the page lives, over as many connections as it takes. After each new connection everything is fetched again. */
export function startEvents(client: QueryClient): void {
  let heard = 0
  const follow = async (opened: number) => {
    heard = opened
    if (opened > 1) void client.invalidateQueries()
    try {
      for await (const event of await api.system.events({})) receive(client, event)
    } catch {
      // The connection broke; the next one starts this anew.
    }
  }
  const check = () => {
    const { phase, opened } = connectionStore.getState()
    if (phase === 'open' && opened > heard) void follow(opened)
  }
  connectionStore.subscribe(check)
  check()
}

function receive(client: QueryClient, event: EngineEvent): void {
  apply(client, event)
  for (const listener of listeners) listener(event)
}

const refetch = (client: QueryClient, queryKey: readonly unknown[]) => void client.invalidateQueries({ queryKey })

function apply(client: QueryClient, event: EngineEvent): void {
  switch (event.type) {
    case 'regions.changed':
      refetch(client, keys.regions)
      refetch(client, keys.datasets)
      refetch(client, keys.comparisons)
      client.setQueryData(keys.undoState, { undoLabel: event.undoLabel, redoLabel: event.redoLabel })
      break
    case 'datasets.changed':
      refetch(client, keys.datasets)
      break
    case 'views.changed':
      refetch(client, keys.views(event.datasetId))
      refetch(client, keys.comparisons)
      break
    case 'checkpoints.changed':
      refetch(client, keys.checkpoints)
      break
    case 'scores.changed':
      refetch(client, keys.datasets)
      refetch(client, keys.scoresSummary(event.datasetId))
      refetch(client, keys.comparisons)
      refetch(client, keys.regions)
      break
    case 'trust.changed':
      refetch(client, keys.trust(event.datasetId))
      break
    case 'suspects.changed':
      refetch(client, [...keys.regions, 'suspect'])
      refetch(client, [...keys.regions, 'learned'])
      break
    case 'job.progressed':
      client.setQueryData<readonly Job[]>(keys.jobs, (jobs) => upsert(jobs, event.job))
      break
    case 'run.progressed':
      client.setQueryData<readonly Run[]>(keys.runs, (runs) => upsert(runs, event.run))
      break
    case 'backend.changed':
      refetch(client, keys.info)
      break
    case 'run.removed':
      client.setQueryData<readonly Run[]>(keys.runs, (runs) => runs?.filter((run) => run.id !== event.runId))
      break
    case 'run.measured':
    case 'regions.edited':
      break
  }
}

/** The list with this entry replaced, or put first when it is new. A list never fetched stays so. */
export function upsert<T extends { readonly id: string }>(list: readonly T[] | undefined, entry: T): readonly T[] | undefined {
  if (!list) return list
  const at = list.findIndex((old) => old.id === entry.id)
  if (at < 0) return [entry, ...list]
  return list.map((old, i) => (i === at ? entry : old))
}
