/** Names that the engine gives in English, in the language of the page. */
import type { IntervalKind } from '../../../shared/charts/captions.ts'
import type { Comparison } from '../../../shared/contract/compare.ts'
import { t } from '../../../shared/messages/messages.ts'
import type { Choice } from './choice.ts'

/** Of how an interval was made. */
export const methodName = (method: IntervalKind): string => (method === 'percentile' ? t('percentile') : method)

/** Names of people, the same in every language. */
export const [HOLM, BH, BENJAMINI_HOCHBERG] = ['Holm', 'BH', 'Benjamini-Hochberg'] as const

const SLICES: Readonly<Record<string, string>> = {
  'Box: small': t('Box: small'), 'Box: medium': t('Box: medium'), 'Box: large': t('Box: large'),
  '1–2 words': t('1–2 words'), '3–5 words': t('3–5 words'), '6+ words': t('6+ words'),
  'Colour word': t('Colour word'), 'Size word': t('Size word'), 'Position word': t('Position word'),
  '1 box': t('1 box'), '2 boxes': t('2 boxes'), '3+ boxes': t('3+ boxes'),
}

/** A slice is named by the engine and the address in English; names of tags, concepts and splits are the data's own. */
export function sliceName(name: string): string {
  const own = SLICES[name]
  if (own !== undefined) return own
  const [, kind, of] = /^(Tag|Concept|Split): (.*)$/s.exec(name) ?? []
  if (of === undefined) return name
  if (kind === 'Tag') return t('Tag: {name}', { name: of })
  return kind === 'Concept' ? t('Concept: {name}', { name: of }) : t('Split: {name}', { name: of })
}

/** What is compared on, in words. */
export function titleOf(choice: Choice, comparison: Comparison): string {
  if (choice.kind === 'results') return comparison.title
  const { dataset: { name: dataset }, view, split } = choice
  if (view) return split === null ? t('{dataset}, view {view}, all splits', { dataset, view: view.name }) : t('{dataset}, view {view}, {split}', { dataset, view: view.name, split })
  return split === null ? t('{dataset}, all splits', { dataset }) : `${dataset}, ${split}`
}

/** So many are drawn where nothing else is asked for. */
const TESTED = 32

/** What a test of the explanation would be on. */
export const testOf = ({ total, withoutAnswer }: Comparison): string => t('Test on {n, plural, one {# region} other {# regions}}', { n: Math.min(TESTED, total - withoutAnswer) })
