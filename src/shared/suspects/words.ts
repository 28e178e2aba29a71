/** A reason as a sentence with its numbers. */
import type { Oddity, Reason, ReasonName } from './reasons.ts'

const percent = (share: number): string => `${Math.round(100 * share)} %`

/** @param phraseOf the phrase of another region of the image */
export function reasonWords({ name, numbers, otherId, oddity }: Reason, phraseOf: (regionId: string) => string | undefined): string {
  const [first = 0, second = 0, third = 0] = numbers
  const phrase = otherId === undefined ? undefined : phraseOf(otherId)
  const other = phrase ? `“${phrase}”` : 'another phrase'
  switch (name) {
    case 'outside': return `${percent(1 - first)} of the heat lies outside the boxes; for boxes of this size and this phrase ${percent(1 - second)} is usual.`
    case 'margin': return `The hottest place lies outside; inside the heat reaches ${percent(first)} of it.`
    case 'neighbour': return `${percent(first)} of the heat lies in the box of ${other}, ${percent(second)} in its own.`
    case 'swap': return `Swapped with ${other}, both would hold ${percent(second)} of their heat on average instead of ${percent(first)}.`
    case 'twin': return `The box is that of ${other} too (overlap ${percent(first)}), but the two phrases look at different places (${percent(second)} in common).`
    case 'agree': return `${first} of ${second} other ${second === 1 ? 'checkpoint finds' : 'checkpoints find'} the same: on average ${percent(third)} of their heat lies inside.`
    case 'disagree': return `Checkpoints disagree: from ${percent(first)} to ${percent(second)} of the heat lies inside.`
    case 'unlearned': return `Its run never learned it: ${first} of ${second} checkpoints point inside, with ${percent(third)} of the heat on average.`
    case 'geometry': return `${ODD[oddity ?? 'tiny']} (${Math.round(first)} × ${Math.round(second)} px).`
  }
}

const ODD: Readonly<Record<Oddity, string>> = {
  'outside-image': 'The box lies outside the image', 'crosses-edge': 'The box reaches over the edge of the image', 'no-area': 'The box has no area', inverted: 'The box is inside out',
  tiny: 'The box is hardly a pixel wide', 'whole-image': 'The box is the whole image', thin: 'The box is very long and thin',
}

/** Each reason in two or three words, for a list. */
export const REASON_NAMES: Readonly<Record<ReasonName, string>> = {
  outside: 'Heat outside', margin: 'Hottest place outside', neighbour: 'Heat on another box', swap: 'Swapped phrases', twin: 'Same box, other phrase', agree: 'Checkpoints agree',
  disagree: 'Checkpoints disagree', unlearned: 'Never learned', geometry: 'Odd box',
}
