import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app/App.tsx'
import { startTheme } from './app/theme.ts'
import { startEngine } from './state/engine.ts'
import { startEvents } from './state/events.ts'
import { createQueryClient } from './state/queries.ts'
import './ui/tokens.css'
import './ui/base.css'

startTheme()
const client = createQueryClient()
startEngine()
startEvents(client)

// A file dropped beside a drop zone must not make the window leave the product.
for (const type of ['dragover', 'drop'] as const) window.addEventListener(type, (event) => event.preventDefault())

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
)
