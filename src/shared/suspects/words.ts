/** A reason as a sentence with its numbers. */
import { t } from '../messages/messages.ts'
import type { Oddity, Reason, ReasonName } from './reasons.ts'

const percent = (share: number): string => `${Math.round(100 * share)} %`

/** @param phraseOf the phrase of another region of the image */
export function reasonWords({ name, numbers, otherId, oddity }: Reason, phraseOf: (regionId: string) => string | undefined): string {
  const [first = 0, second = 0, third = 0] = numbers
  const phrase = otherId === undefined ? undefined : phraseOf(otherId)
  const other = phrase ? `“${phrase}”` : t('another phrase', undefined, 'of the image')
  switch (name) {
    case 'outside': return t('{share} of the heat lies outside the boxes; for boxes of this size and this phrase {usual} is usual.', { share: percent(1 - first), usual: percent(1 - second) })
    case 'margin': return t('The hottest place lies outside; inside the heat reaches {share} of it.', { share: percent(first) })
    case 'neighbour': return t('{share} of the heat lies in the box of {phrase}, {own} in its own.', { share: percent(first), phrase: other, own: percent(second) })
    case 'swap': return t('Swapped with {phrase}, both would hold {share} of their heat on average instead of {now}.', { phrase: other, share: percent(second), now: percent(first) })
    case 'twin': return t('The box is that of {phrase} too (overlap {overlap}), but the two phrases look at different places ({common} in common).', { phrase: other, overlap: percent(first), common: percent(second) })
    case 'agree': return t('{n} of {total, plural, one {# other checkpoint finds} other {# other checkpoints find}} the same: on average {share} of their heat lies inside.', { n: first, total: second, share: percent(third) })
    case 'disagree': return t('Checkpoints disagree: from {low} to {high} of the heat lies inside.', { low: percent(first), high: percent(second) })
    case 'unlearned': return t('Its run never learned it: {n} of {total} checkpoints point inside, with {share} of the heat on average.', { n: first, total: second, share: percent(third) })
    case 'geometry': return t('{fault} ({width} × {height} px).', { fault: ODD[oddity ?? 'tiny'], width: Math.round(first), height: Math.round(second) })
  }
}

const ODD: Readonly<Record<Oddity, string>> = {
  'outside-image': t('The box lies outside the image'), 'crosses-edge': t('The box reaches over the edge of the image'), 'no-area': t('The box has no area'), inverted: t('The box is inside out'),
  tiny: t('The box is hardly a pixel wide'), 'whole-image': t('The box is the whole image'), thin: t('The box is very long and thin'),
}

/** Each reason in two or three words, for a list. */
export const REASON_NAMES: Readonly<Record<ReasonName, string>> = {
  outside: t('Heat outside'), margin: t('Hottest place outside'), neighbour: t('Heat on another box'), swap: t('Swapped phrases'), twin: t('Same box, other phrase'), agree: t('Checkpoints agree'),
  disagree: t('Checkpoints disagree'), unlearned: t('Never learned'), geometry: t('Odd box'),
}
