import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { startEngine } from '../state/engine.ts'
import { startEvents } from '../state/events.ts'
import { createQueryClient } from '../state/queries.ts'
import { hasKept } from '../views/curate/kept-edits.ts'
import { App } from './App.tsx'

/** Draws the page, and connects it to the engine. */
export function start(root: HTMLElement): void {
  const client = createQueryClient()
  startEngine()
  startEvents(client)
  sendKept()
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <App />
      </QueryClientProvider>
    </StrictMode>,
  )
}

/** Edits that an earlier page could not save go out whichever screen is opened. */
function sendKept(): void {
  try {
    if (hasKept(window.localStorage)) void import('../views/curate/edits.ts')
  } catch {
    // A browser without storage kept none.
  }
}
