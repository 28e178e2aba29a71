/** One broadcaster for everything that changes; every open page has its own bounded buffer, so that a sleeping page costs nothing. */
import { EventPublisher } from '@orpc/server'
import type { EngineEvent } from '../../shared/contract/events.ts'

export interface Events {
  emit(event: EngineEvent): void
  /** From now on, until the signal fires. When a page falls far behind, its oldest events are dropped: it refetches anyway. */
  subscribe(signal?: AbortSignal): AsyncGenerator<EngineEvent>
  on(listener: (event: EngineEvent) => void): () => void
}

const BUFFERED = 2000

export function createEvents(): Events {
  const publisher = new EventPublisher<{ event: EngineEvent }>({ maxBufferedEvents: BUFFERED })
  return {
    emit: (event) => publisher.publish('event', event),
    subscribe: (signal) => publisher.subscribe('event', { signal }),
    on: (listener) => publisher.subscribe('event', listener),
  }
}
