import { Scaling } from 'lucide-react'
import { type ReactNode, Activity, useSyncExternalStore } from 'react'
import { t } from '../../shared/messages/messages.ts'
import { EmptyState } from '../ui/Notes.tsx'
import { type Screen, useRoute } from './routes.ts'

/** Half of 1440 x 900 is 720 x 450: a page zoomed to 200 % on such a screen is still used. */
const TOO_SMALL = '(max-width: 639px), (max-height: 399px)'
/** Screens made of panes side by side; the others are lists, which scroll. */
const OF_PANES: readonly Screen[] = ['curate', 'train', 'compare']

/** A screen of panes, or that the window is too small for it. What was typed there is kept, and its keys rest meanwhile: nobody edits what cannot be seen. */
export function RoomFor({ children }: { children: ReactNode }) {
  const { screen } = useRoute()
  const small = useTooSmall() && OF_PANES.includes(screen)
  return (
    <>
      {small ? (
        <div data-testid="too-small" className="scroll" role="status" style={{ display: 'grid' }}>
          <EmptyState icon={Scaling} title={t('This window is too small for this screen')}>{t('Make it larger than 640 by 400 pixels, or zoom out. Nothing is lost: it goes on where it was.')}</EmptyState>
        </div>
      ) : null}
      <Activity mode={small ? 'hidden' : 'visible'}>{children}</Activity>
    </>
  )
}

function useTooSmall(): boolean {
  return useSyncExternalStore(subscribe, () => window.matchMedia(TOO_SMALL).matches)
}

function subscribe(listener: () => void): () => void {
  const query = window.matchMedia(TOO_SMALL)
  query.addEventListener('change', listener)
  return () => query.removeEventListener('change', listener)
}
