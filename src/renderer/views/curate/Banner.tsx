import { Flag, Sparkles } from 'lucide-react'
import { useMemo } from 'react'
import { useStore } from 'zustand'
import { scoreRegion } from '../../../shared/consistency.ts'
import { count, fixed, percent } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import type { Workbench } from './use-workbench.ts'
import styles from './curate.module.css'

/** Why this sample is suspected, or what the proposal would change, in words, with the two keys that settle it. */
export function Banner({ work }: { work: Workbench }) {
  const { region, prepared, image, proposals, proposing, isFree, control, current, heat } = work
  const total = useStore(work.queue.store, (state) => state.total)
  const suspects = control.view.sort === 'suspect'
  const stale = heat.stale || work.draftPhrase !== null
  const words = useMemo(() => {
    if (!region || !prepared || !image) return null
    const now = scoreRegion(prepared, region.boxes, image)
    return reason(now.insideEnergy, proposals.length > 0 ? scoreRegion(prepared, proposals, image).insideEnergy : null, region.boxes.length, proposals.length, now.pointingHit)
  }, [region, prepared, image, proposals])
  if (!region || !proposing || isFree) return null
  const likely = suspects && words !== null && words.consistency < 0.4
  return (
    <div className={likely ? styles.bannerSuspect : styles.banner} role="region" aria-label={suspects ? 'Suspect' : 'Proposal'} data-testid="banner">
      <span className={likely ? 'warn' : 'c2'}><Icon of={suspects ? Flag : Sparkles} /></span>
      <div className={styles.bannerWords}>
        <span className="trunc">
          <span className="med">{suspects ? (likely ? 'Likely wrong region' : 'Low on the list of suspects') : 'Proposed from the heat'}</span>
          {suspects && current.index >= 0 ? <span className={styles.wide}><span className="c2"> · suspect {count(current.index + 1)} of {count(total)}</span></span> : null}
        </span>
        <span className="t12 c2">{stale || !words ? 'Waiting for the heat.' : words.text}</span>
      </div>
      <div className={styles.bannerActions}>
        <Button kind="primary" keys="f" disabled={proposals.length === 0 || stale} onClick={work.verbs.useProposal}>Use proposal</Button>
        <Button keys="a" onClick={() => work.verbs.decide('accepted')}>Keep</Button>
      </div>
    </div>
  )
}

/** "80 % of the heat lies outside the box. The proposed box would raise consistency from 0.20 to 0.95." */
export function reason(now: number, proposed: number | null, boxes: number, proposals: number, hit: boolean): { readonly text: string; readonly consistency: number } {
  const where = boxes === 0 ? 'This phrase has no box yet.' : `${percent(1 - now)} of the heat lies outside the box${boxes > 1 ? 'es' : ''}${hit || now >= 0.4 ? '' : ', the peak too'}.`
  const subject = proposals > 1 ? `The ${proposals} proposed boxes` : 'The proposed box'
  const offer =
    proposed === null ? 'The heat is too flat for a proposal.'
    : boxes === 0 ? `${subject} would hold ${percent(proposed)} of the heat.`
    : proposed > now + 0.005 ? `${subject} would raise consistency from ${fixed(now)} to ${fixed(proposed)}.`
    : `${subject} would not raise consistency: ${fixed(now)} against ${fixed(proposed)}.`
  return { text: `${where} ${offer}`, consistency: boxes === 0 ? 0 : now }
}
