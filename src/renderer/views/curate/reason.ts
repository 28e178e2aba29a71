/** Why a region is suspected, in words. */
import { t } from '../../../shared/messages/messages.ts'
import { fixed, percent } from '../../app/format.ts'

/** "80 % of the heat lies outside the box. The proposed box would raise consistency from 0.20 to 0.95." */
export function reason(now: number, proposed: number | null, boxes: number, proposals: number): { readonly text: string; readonly where: string; readonly consistency: number } {
  const where = boxes === 0 ? t('This phrase has no box yet.') : t('{share} of the heat lies outside the {boxes, plural, one {box} other {boxes}}.', { share: percent(1 - now), boxes })
  const n = proposals
  const offer =
    proposed === null ? t('The heat is too flat for a proposal.')
    : boxes === 0 ? t('{n, plural, one {The proposed box} other {The # proposed boxes}} would hold {share} of the heat.', { n, share: percent(proposed) })
    : proposed > now + 0.005 ? t('{n, plural, one {The proposed box} other {The # proposed boxes}} would raise consistency from {now} to {proposed}.', { n, now: fixed(now), proposed: fixed(proposed) })
    : t('{n, plural, one {The proposed box} other {The # proposed boxes}} would not raise consistency: {now} against {proposed}.', { n, now: fixed(now), proposed: fixed(proposed) })
  return { text: t('{first} {second}', { first: where, second: offer }), where, consistency: boxes === 0 ? 0 : now }
}
