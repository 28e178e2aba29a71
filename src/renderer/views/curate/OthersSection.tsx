import { Copy, Eye, EyeOff, Plus } from 'lucide-react'
import type { Region } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { fixed } from '../../app/format.ts'
import { IconButton } from '../../ui/IconButton.tsx'
import { Menu } from '../../ui/Menu.tsx'
import { Section } from '../../ui/Pane.tsx'
import { Bar } from '../../ui/Progress.tsx'
import { setPrefs } from './prefs.ts'
import { otherRegions } from './scene-boxes.ts'
import { MoreButton, useLongList } from './LongList.tsx'
import { focusPhrase } from './use-curate-commands.ts'
import type { Workbench } from './workbench.ts'
import { tone } from './words.ts'
import styles from './inspector.module.css'

/** A menu of more is no menu; the rest is one click away on the canvas. */
const MOST_SOURCES = 30

/** The image's other phrases in the colours of their boxes; a click takes one in hand. */
export function OthersSection({ work, region }: { work: Workbench; region: Region | null }) {
  const { regions, scores, verbs, queue, prefs, image } = work
  const others = otherRegions(regions, region?.id ?? null)
  const list = useLongList(others, 40)
  const sources = others.filter((entry) => entry.region.boxes.length > 0)
  return (
    <Section
      title={t('Other phrases')} aside={others.length}
      action={
        <span className={styles.actions}>
          {region && sources.length > 0 ? (
            <Menu align="end" trigger={<IconButton size="s" icon={Copy} label={t('Copy boxes from another phrase')} />} entries={sources.slice(0, MOST_SOURCES).map((entry) => ({ label: entry.region.phrase || t('No phrase'), detail: String(entry.region.boxes.length), onSelect: () => verbs.copyBoxes(entry.region) }))} />
          ) : null}
          {others.length > 0 ? <IconButton size="s" icon={prefs.others ? Eye : EyeOff} label={t('Show boxes of other phrases')} pressed={prefs.others} onClick={() => setPrefs({ others: !prefs.others })} /> : null}
          <IconButton size="s" icon={Plus} label={t('New phrase on this image')} keys="n" disabled={!image} onClick={() => (verbs.newRegion(''), window.setTimeout(focusPhrase))} />
        </span>
      }
    >
      {others.length === 0 ? <p className="t12 c3">{t('This is the only phrase of the image.')}</p> : null}
      <ul className={styles.others} aria-label={t('Other phrases of this image')}>
        {list.shown.map(({ region: other, color }) => {
          const value = scores[other.id]?.insideEnergy
          return (
            <li key={other.id}>
              <button type="button" className={styles.other} onClick={() => verbs.show({ regionId: other.id, imageId: other.imageId, index: queue.indexOf(other.id) })}>
                <i style={{ background: color }} />
                <span className="trunc">{other.phrase || t('No phrase yet')}</span>
                {value === undefined ? <span /> : <Bar share={value} tone={tone(value)} />}
                <span className="num c2">{value === undefined ? '–' : fixed(value)}</span>
              </button>
            </li>
          )
        })}
      </ul>
      <MoreButton of={list} label={(n) => t('Show more of {n, plural, one {# other phrase} other {# other phrases}}', { n })} />
    </Section>
  )
}
