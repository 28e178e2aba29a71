/**
 * Labels of edits as the page says them. The engine speaks English: what it made itself (edits of many regions, steps back and forward,
 * the import) is said here in the language of the page; a label that the page made is kept in the language it was made in.
 */
import { currentLanguage, t } from '../../../shared/messages/messages.ts'

const REGIONS = String.raw`(?<n>[\d,]+) regions?`
const MADE: readonly (readonly [RegExp, (n: number, name: string) => string])[] = [
  [RegExp(`^Accept ${REGIONS}$`), (n) => t('Accept {n, plural, one {# region} other {# regions}}', { n })],
  [RegExp(`^Reject ${REGIONS}$`), (n) => t('Reject {n, plural, one {# region} other {# regions}}', { n })],
  [RegExp(`^Skip ${REGIONS}$`), (n) => t('Skip {n, plural, one {# region} other {# regions}}', { n })],
  [RegExp(`^Back to review: ${REGIONS}$`), (n) => t('Back to review: {n, plural, one {# region} other {# regions}}', { n })],
  [RegExp(`^Tag ${REGIONS} “(?<name>.*)”$`, 's'), (n, name) => t('Tag {n, plural, one {# region} other {# regions}} “{name}”', { n, name })],
  [RegExp(`^Take the tag “(?<name>.*)” off ${REGIONS}$`, 's'), (n, name) => t('Take the tag “{name}” off {n, plural, one {# region} other {# regions}}', { n, name })],
  [RegExp(`^Move ${REGIONS} to (?<name>.*)$`, 's'), (n, name) => t('Move {n, plural, one {# region} other {# regions}} to {name}', { n, name })],
  [RegExp(`^Assign ${REGIONS} to nobody$`), (n) => t('Assign {n, plural, one {# region} other {# regions}} to nobody', { n })],
  [RegExp(`^Assign ${REGIONS} to (?<name>.*)$`, 's'), (n, name) => t('Assign {n, plural, one {# region} other {# regions}} to {name}', { n, name })],
  [RegExp(`^Delete ${REGIONS}$`), (n) => t('Delete {n, plural, one {# region} other {# regions}}', { n })],
  [/^Replace “(?<name>.*)” in (?<n>[\d,]+) phrases?$/s, (n, name) => t('Replace “{name}” in {n, plural, one {# phrase} other {# phrases}}', { n, name })],
  [RegExp(`^Take back the second review of ${REGIONS}$`), (n) => t('Take back the second review of {n, plural, one {# region} other {# regions}}', { n })],
  [RegExp(`^Second review, accepted: ${REGIONS}$`), (n) => t('Second review, accepted: {n, plural, one {# region} other {# regions}}', { n })],
  [RegExp(`^Second review, rejected: ${REGIONS}$`), (n) => t('Second review, rejected: {n, plural, one {# region} other {# regions}}', { n })],
  [/^Undo: (?<name>.*)$/s, (_, name) => t('Undo: {edit}', { edit: labelWords(name) })],
  [/^Redo: (?<name>.*)$/s, (_, name) => t('Redo: {edit}', { edit: labelWords(name) })],
  [/^Taken back, not finished: (?<name>.*)$/s, (_, name) => t('Taken back, not finished: {edit}', { edit: labelWords(name) })],
  [/^Imported$/, () => t('Imported', undefined, 'step')],
]

export function labelWords(label: string): string {
  if (currentLanguage() === 'en') return label
  for (const [pattern, words] of MADE) {
    const found = pattern.exec(label)
    if (found) return words(Number(found.groups?.n?.replaceAll(',', '') ?? 0), found.groups?.name ?? '')
  }
  return label
}
