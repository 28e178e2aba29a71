import { BringToFront, Ellipsis, MousePointerClick, Plus, RotateCcw, SendToBack, Trash2 } from 'lucide-react'
import { t } from '../../../shared/messages/messages.ts'
import { IconButton } from '../../ui/IconButton.tsx'
import { Menu } from '../../ui/Menu.tsx'
import { EmptyState } from '../../ui/Notes.tsx'
import { BoxesSection } from './BoxesSection.tsx'
import { HistorySection } from './HistorySection.tsx'
import { NoteSection } from './NoteSection.tsx'
import { OthersSection } from './OthersSection.tsx'
import { PhraseSection } from './PhraseSection.tsx'
import { ReviewSection } from './ReviewSection.tsx'
import { ScoresSection } from './ScoresSection.tsx'
import { focusPhrase } from './use-curate-commands.ts'
import type { Workbench } from './workbench.ts'
import styles from './inspector.module.css'

/** Everything about the phrase in hand. */
export function Inspector({ work }: { work: Workbench }) {
  const { region, regions, verbs, image } = work
  const place = region ? regions.findIndex((entry) => entry.id === region.id) + 1 : 0
  const addPhrase = () => {
    verbs.newRegion('')
    window.setTimeout(focusPhrase)
  }
  return (
    <section className={styles.inspector} aria-label={t('Inspector')}>
      <div className={styles.head}>
        <h2>{region ? t('Region {place} of {total}', { place, total: regions.length }) : t('No region in hand')}</h2>
        {region ? <span className="c3 mono trunc" title={region.id} data-selectable>{region.id.slice(0, 8)}</span> : null}
        <span className="grow" />
        <Menu
          align="end" trigger={<IconButton size="s" icon={Ellipsis} label={t('More')} />}
          entries={[
            { label: t('New phrase'), icon: Plus, keys: 'n', disabled: !image, onSelect: addPhrase },
            ...(region && region.status !== 'unreviewed' ? [{ label: t('Back to review'), icon: RotateCcw, onSelect: () => verbs.edit(t('Back to review'), { status: 'unreviewed' as const }) }] : []),
            ...(region && regions.length > 1 ? [
              { label: t('Bring to the front'), icon: BringToFront, keys: '$mod+BracketRight', onSelect: () => verbs.arrangePhrase('front') },
              { label: t('Send to the back'), icon: SendToBack, keys: '$mod+BracketLeft', onSelect: () => verbs.arrangePhrase('back') },
            ] : []),
            ...(region ? [null, { label: t('Delete this phrase'), icon: Trash2, danger: true, onSelect: verbs.deleteRegion }] : []),
          ]}
        />
      </div>
      <div className={`scroll ${styles.body}`}>
        {region ? (
          <>
            <PhraseSection work={work} region={region} />
            <ScoresSection work={work} region={region} />
            <BoxesSection key={`boxes ${region.id}`} work={work} region={region} />
            <OthersSection work={work} region={region} />
            <ReviewSection work={work} region={region} />
            <NoteSection key={region.id} work={work} region={region} />
            <HistorySection key={`history ${region.id}`} work={work} region={region} />
          </>
        ) : (
          <>
            <EmptyState icon={MousePointerClick} title={t('Choose a phrase')}>{image ? t('Pick one below or in the queue, or draw a box to begin a new one.') : t('Pick a sample in the queue.')}</EmptyState>
            <OthersSection work={work} region={null} />
          </>
        )}
      </div>
    </section>
  )
}
