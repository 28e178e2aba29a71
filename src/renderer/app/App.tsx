import { CSPProvider } from '@base-ui/react/csp-provider'
import { lazy, Suspense, useEffect } from 'react'
import { Loading } from '../ui/Notes.tsx'
import { Toasts } from '../ui/toast.tsx'
import { TooltipProvider } from '../ui/Tooltip.tsx'
import { CommandPalette } from './CommandPalette.tsx'
import { ConnectionNotice } from './ConnectionNotice.tsx'
import { DeadLinks } from './DeadLinks.tsx'
import { ErrorBoundary } from './ErrorBoundary.tsx'
import { GlobalCommands } from './GlobalCommands.tsx'
import { listenToKeys } from './commands.ts'
import { type Screen, useRoute } from './routes.ts'
import { RoomFor } from './RoomFor.tsx'
import { RunEnds } from './RunEnds.tsx'
import { ShortcutSheet } from './ShortcutSheet.tsx'
import { StatusBar } from './StatusBar.tsx'
import { TitleBar, TITLES } from './TitleBar.tsx'
import { Tour } from './tour/Tour.tsx'
import styles from './app.module.css'

/** Each screen is its own chunk, so that the first one is there at once. */
const VIEWS: Readonly<Record<Screen, React.LazyExoticComponent<React.ComponentType>>> = {
  library: lazy(async () => ({ default: (await import('../views/library/LibraryView.tsx')).LibraryView })),
  curate: lazy(async () => ({ default: (await import('../views/curate/CurateView.tsx')).CurateView })),
  train: lazy(async () => ({ default: (await import('../views/train/TrainView.tsx')).TrainView })),
  checkpoints: lazy(async () => ({ default: (await import('../views/checkpoints/CheckpointsView.tsx')).CheckpointsView })),
  compare: lazy(async () => ({ default: (await import('../views/compare/CompareView.tsx')).CompareView })),
  settings: lazy(async () => ({ default: (await import('../views/settings/SettingsView.tsx')).SettingsView })),
}

export function App() {
  const { screen } = useRoute()
  useEffect(() => listenToKeys(window), [])
  const View = VIEWS[screen]
  return (
    <CSPProvider disableStyleElements>
      <TooltipProvider delay={500}>
        <div className={styles.app}>
          <TitleBar screen={screen} />
          <ConnectionNotice />
          <main className={styles.main} data-screen={screen}>
            <h1 className="visually-hidden">{TITLES[screen]}</h1>
            <ErrorBoundary key={screen}>
              <RoomFor>
                <Suspense fallback={<Loading />}>
                  <View />
                </Suspense>
              </RoomFor>
            </ErrorBoundary>
          </main>
          <StatusBar />
        </div>
        <GlobalCommands />
        <CommandPalette />
        <ShortcutSheet />
        <Tour />
        <DeadLinks />
        <RunEnds />
        <Toasts />
      </TooltipProvider>
    </CSPProvider>
  )
}
