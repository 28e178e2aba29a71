/**
 * The message catalogue. A message is its English text, in ICU MessageFormat; other languages are tables from that text to theirs
 * (beside this file), which a test holds against every message in the source. English needs no table, so the engine, the command
 * line and tests speak it without any set-up; the page reads another one before it draws anything.
 */
import { IntlMessageFormat } from 'intl-messageformat'

export const LANGUAGES = [
  { code: 'en', name: 'English' },
  { code: 'zh-CN', name: '简体中文' },
] as const
export type Language = (typeof LANGUAGES)[number]['code']
/** English text -> text in the language; where the same English has two meanings, "context::text". */
export type Catalogue = Readonly<Record<string, string>>
export type MessageValues = Readonly<Record<string, string | number>>
/** What a tag in a rich message becomes: <name>inside</name>. */
export type RichValues<T> = Readonly<Record<string, string | number | T | ((inside: (string | T)[]) => T)>>

export const isLanguage = (code: unknown): code is Language => LANGUAGES.some((language) => language.code === code)

let current: { readonly language: Language; readonly catalogue: Catalogue | null } = { language: 'en', catalogue: null }
const plain = new Map<string, IntlMessageFormat>()
const rich = new Map<string, IntlMessageFormat>()

/** For the whole process, before the first message is asked for: what was made into text stays as it is. */
export function useMessages(language: Language, catalogue: Catalogue | null): void {
  current = { language, catalogue }
  plain.clear()
  rich.clear()
}

export const currentLanguage = (): Language => current.language

/**
 * A message in the language of the page. `{name}` is put in from `values`, `{n, plural, one {# box} other {# boxes}}` counts.
 * @param message a literal, never a variable: the catalogue is held against the source
 * @param context a word that tells two meanings of one English text apart
 */
export function t(message: string, values?: MessageValues, context?: string): string {
  const text = translated(message, context)
  if (!values) return text
  return String(formatOf(plain, text, true).format(values))
}

/** The same with parts that are more than text: `Press <key>A</key>`. Gives the parts in order. */
export function tRich<T>(message: string, values: RichValues<T>, context?: string): (string | T)[] {
  const parts = formatOf(rich, translated(message, context), false).format<T>(values as never)
  return (Array.isArray(parts) ? parts : [parts]) as (string | T)[]
}

function translated(message: string, context: string | undefined): string {
  const { catalogue } = current
  if (!catalogue) return message
  return (context === undefined ? undefined : catalogue[`${context}::${message}`]) ?? catalogue[message] ?? message
}

function formatOf(cache: Map<string, IntlMessageFormat>, text: string, ignoreTag: boolean): IntlMessageFormat {
  let format = cache.get(text)
  if (!format) {
    format = new IntlMessageFormat(text, current.language, undefined, { ignoreTag })
    cache.set(text, format)
  }
  return format
}
