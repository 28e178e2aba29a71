import { ChevronLeft, ChevronRight, Flag, Sparkles } from 'lucide-react'
import { useMemo } from 'react'
import { scoreRegion } from '../../../shared/consistency.ts'
import { t } from '../../../shared/messages/messages.ts'
import { boxesOnly } from '../../../shared/shape.ts'
import { SUSPECT_FROM } from '../../../shared/suspects/judge.ts'
import { reasonWords } from '../../../shared/suspects/words.ts'
import { count, percent } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { LearnedMenu, useLearned } from './Learned.tsx'
import { mendWords } from './mends.ts'
import { reason } from './reason.ts'
import type { Workbench } from './workbench.ts'
import styles from './curate.module.css'

/** More sentences than these are in the way of the picture. */
const MOST_SAID = 3

/** Why this sample is suspected and what would mend it, in words, with the keys that settle it. */
export function Banner({ work }: { work: Workbench }) {
  const { region, regions, prepared, image, proposals, proposing, isFree, control, current, heat, mends, suspicion } = work
  const suspects = control.view.sort === 'suspect'
  const among = control.suspects !== null && current.index >= 0 && current.index < control.suspects
  const stale = heat.stale || work.draftPhrase !== null
  const learned = useLearned(suspects && proposing)
  const words = useMemo(() => {
    if (!region || !prepared || !image) return null
    const now = scoreRegion(prepared, region, image)
    return reason(now.insideEnergy, proposals.length > 0 ? scoreRegion(prepared, boxesOnly(proposals), image).insideEnergy : null, region.boxes.length, proposals.length)
  }, [region, prepared, image, proposals])
  if (!region || !proposing || isFree) return null
  const said = suspects ? (suspicion?.reasons ?? []) : []
  const likely = suspects && (suspicion?.suspicion ?? 0) >= SUSPECT_FROM
  const title = !suspects ? t('Proposed from the heat') : likely ? t('Likely wrong region') : suspicion?.suspicion != null ? t('Probably right') : t('Suspect')
  const phraseOf = (id: string) => regions.find((entry) => entry.id === id)?.phrase
  const first = said[0]
  const tally = first ? learned?.reasons.find((one) => one.name === first.name) : undefined
  const waits = heat.error ? t('There is no heat for this phrase, so there is nothing to propose.') : stale || !words ? t('Waiting for the heat.') : null
  const mend = mends.shown
  const offer = mend && mendWords(mend, region.boxes.length > 0 && words ? words.consistency : null)
  return (
    <div className={likely ? styles.bannerSuspect : styles.banner} role="region" aria-label={suspects ? t('Suspect') : t('Proposal')} data-testid="banner">
      <span className={likely ? 'warn' : 'c2'}><Icon of={suspects ? Flag : Sparkles} /></span>
      <div className={styles.bannerWords}>
        <span className="trunc">
          <span className="med">{title}</span>
          {suspects && suspicion?.suspicion != null ? <span className="c2"> · {t('{share} likely wrong', { share: percent(suspicion.suspicion) })}</span> : null}
          {suspects && among ? <span className={styles.wide}><span className="c2"> · {t('suspect {place} of {total}', { place: count(current.index + 1), total: count(control.suspects!) })}</span></span> : null}
          {tally ? <span className={styles.wide}><span className="c2"> · {t('you agreed with {agreed} of {asked} such', { agreed: tally.agreed, asked: tally.asked })}</span></span> : null}
        </span>
        {said.length > 0 ? (
          <ul className={styles.reasons} data-testid="reasons" aria-label={t('Reasons')}>
            {said.slice(0, MOST_SAID).map((one) => <li key={one.name} data-reason={one.name} className="t12 c2">{reasonWords(one, phraseOf)}</li>)}
          </ul>
        ) : waits === null && words ? <span className="t12 c2">{mend ? words.where : words.text}</span> : null}
        {waits !== null ? <span className="t12 c2">{waits}</span> : mend ? (
          <span className={styles.mend} data-testid="mend" data-mend={mend.kind} aria-live="polite">
            <span className="t12">{mends.all.length > 1 ? t('Mend {place} of {total}. {mend}', { place: mends.index + 1, total: mends.all.length, mend: offer! }) : offer}</span>
            {mends.all.length > 1 ? (
              <>
                <IconButton size="s" icon={ChevronLeft} label={t('Previous mend')} keys="Shift+w" onClick={() => mends.step(-1)} />
                <IconButton size="s" icon={ChevronRight} label={t('Next mend')} keys="w" onClick={() => mends.step(1)} />
              </>
            ) : null}
          </span>
        ) : null}
      </div>
      <div className={styles.bannerActions}>
        {suspects && learned ? <LearnedMenu learned={learned} /> : null}
        <Button kind="primary" keys="f" disabled={proposals.length === 0 || stale} onClick={work.verbs.useProposal}>{mend?.kind === 'swap' ? t('Swap') : t('Use proposal')}</Button>
        <Button keys="a" onClick={() => work.verbs.decide('accepted')}>{t('Keep')}</Button>
      </div>
    </div>
  )
}
