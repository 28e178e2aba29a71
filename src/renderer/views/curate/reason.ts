/** Why a region is suspected, in words. */
import { fixed, percent } from '../../app/format.ts'

/** "80 % of the heat lies outside the box. The proposed box would raise consistency from 0.20 to 0.95." */
export function reason(now: number, proposed: number | null, boxes: number, proposals: number): { readonly text: string; readonly where: string; readonly consistency: number } {
  const where = boxes === 0 ? 'This phrase has no box yet.' : `${percent(1 - now)} of the heat lies outside the box${boxes > 1 ? 'es' : ''}.`
  const subject = proposals > 1 ? `The ${proposals} proposed boxes` : 'The proposed box'
  const offer =
    proposed === null ? 'The heat is too flat for a proposal.'
    : boxes === 0 ? `${subject} would hold ${percent(proposed)} of the heat.`
    : proposed > now + 0.005 ? `${subject} would raise consistency from ${fixed(now)} to ${fixed(proposed)}.`
    : `${subject} would not raise consistency: ${fixed(now)} against ${fixed(proposed)}.`
  return { text: `${where} ${offer}`, where, consistency: boxes === 0 ? 0 : now }
}
