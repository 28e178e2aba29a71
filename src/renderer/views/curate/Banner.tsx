import { Flag, Sparkles } from 'lucide-react'
import { useMemo } from 'react'
import { scoreRegion } from '../../../shared/consistency.ts'
import { boxesOnly } from '../../../shared/shape.ts'
import { count } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { SUSPECT_BELOW } from './queue-views.ts'
import { reason } from './reason.ts'
import type { Workbench } from './workbench.ts'
import styles from './curate.module.css'

/** Why this sample is suspected, or what the proposal would change, in words, with the two keys that settle it. */
export function Banner({ work }: { work: Workbench }) {
  const { region, prepared, image, proposals, proposing, isFree, control, current, heat } = work
  const suspects = control.view.sort === 'suspect'
  const among = control.suspects !== null && current.index >= 0 && current.index < control.suspects
  const stale = heat.stale || work.draftPhrase !== null
  const words = useMemo(() => {
    if (!region || !prepared || !image) return null
    const now = scoreRegion(prepared, region, image)
    return reason(now.insideEnergy, proposals.length > 0 ? scoreRegion(prepared, boxesOnly(proposals), image).insideEnergy : null, region.boxes.length, proposals.length)
  }, [region, prepared, image, proposals])
  if (!region || !proposing || isFree) return null
  const likely = suspects && words !== null && words.consistency < SUSPECT_BELOW
  const title = !suspects ? 'Proposed from the heat' : likely ? 'Likely wrong region' : words ? 'Probably right' : 'Suspect'
  const text = heat.error ? 'There is no heat for this phrase, so there is nothing to propose.' : stale || !words ? 'Waiting for the heat.' : words.text
  return (
    <div className={likely ? styles.bannerSuspect : styles.banner} role="region" aria-label={suspects ? 'Suspect' : 'Proposal'} data-testid="banner">
      <span className={likely ? 'warn' : 'c2'}><Icon of={suspects ? Flag : Sparkles} /></span>
      <div className={styles.bannerWords}>
        <span className="trunc">
          <span className="med">{title}</span>
          {suspects && among ? <span className={styles.wide}><span className="c2"> · suspect {count(current.index + 1)} of {count(control.suspects!)}</span></span> : null}
        </span>
        <span className="t12 c2">{text}</span>
      </div>
      <div className={styles.bannerActions}>
        <Button kind="primary" keys="f" disabled={proposals.length === 0 || stale} onClick={work.verbs.useProposal}>Use proposal</Button>
        <Button keys="a" onClick={() => work.verbs.decide('accepted')}>Keep</Button>
      </div>
    </div>
  )
}
