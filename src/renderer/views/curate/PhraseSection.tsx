import { useRef } from 'react'
import type { Region } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { Button } from '../../ui/Button.tsx'
import { Section } from '../../ui/Pane.tsx'
import { Tag } from '../../ui/Tag.tsx'
import { STATUS_WORDS } from './queue-views.ts'
import type { Workbench } from './workbench.ts'
import styles from './inspector.module.css'

const STATUS_TONES = { unreviewed: 'neutral', accepted: 'positive', rejected: 'negative', skipped: 'neutral' } as const

const tokenWords = (n: number, truncated: boolean): string =>
  truncated ? t('{n, plural, one {# token} other {# tokens}}, cut at the model’s limit', { n }) : t('{n, plural, one {# token} other {# tokens}}', { n })

/** The phrase, with heat that follows what is typed; the edit is made when the field is left or Enter is pressed. */
export function PhraseSection({ work, region }: { work: Workbench; region: Region }) {
  const { draftPhrase, verbs, heat } = work
  const field = useRef<HTMLTextAreaElement>(null)
  const text = draftPhrase ?? region.phrase
  const tokens = heat.heat && !heat.stale ? heat.heat : null
  return (
    <Section>
      <div className={styles.phraseBox} data-text={text}><textarea
        ref={field} className={styles.phrase} aria-label={t('Phrase')} data-testid="phrase-editor" rows={1} spellCheck={false} value={text} placeholder={t('What is in the box?')}
        onChange={(event) => verbs.setDraft(event.currentTarget.value.replace(/\n/g, ' '))}
        onBlur={verbs.commitPhrase}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return
          if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
            event.preventDefault()
            event.currentTarget.blur()
          } else if (event.key === 'Escape') {
            event.preventDefault()
            event.stopPropagation()
            verbs.setDraft(null)
            window.setTimeout(() => field.current?.blur())
          }
        }}
      /></div>
      <div className={styles.under}>
        <span className="hint">{tokens ? tokenWords(tokens.tokens.length, tokens.truncated) : text.trim() ? t('Counting tokens') : t('No phrase yet')}</span>
        <span className="hint">{draftPhrase === null ? <Tag tone={STATUS_TONES[region.status]}>{STATUS_WORDS[region.status]}</Tag> : t('heat follows as you type')}</span>
      </div>
      <div className={styles.decide}>
        <Button size="l" keys="a" aria-pressed={region.status === 'accepted'} onClick={() => verbs.decide('accepted')}>{t('Accept')}</Button>
        <Button size="l" keys="x" aria-pressed={region.status === 'rejected'} onClick={() => verbs.decide('rejected')}>{t('Reject')}</Button>
        <Button size="l" keys="d" aria-pressed={region.status === 'skipped'} onClick={() => verbs.decide('skipped')}>{t('Skip')}</Button>
      </div>
    </Section>
  )
}
