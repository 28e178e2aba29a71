/** The form of a run: what the preset says, and what a person changed of it. */
import type { Preset } from '../../../shared/contract/contract.ts'
import { t } from '../../../shared/messages/messages.ts'

export type Setting = Preset['settings'][number]
/** Only what was touched; text as typed, so that a half-written number is not lost. */
export type Draft = Readonly<Record<string, string | boolean>>

export type Parsed = { readonly value: unknown; readonly error: null } | { readonly error: string }

/** The typed text as the setting's kind wants it. Bounds are the engine's to check; it answers with the estimate. */
export function parseSetting(setting: Pick<Setting, 'kind' | 'choices'>, input: string | boolean): Parsed {
  if (typeof input === 'boolean') return { value: input, error: null }
  const text = input.trim().replace(/−/g, '-')
  switch (setting.kind) {
    case 'boolean':
      return { value: text === 'true', error: null }
    case 'integer': {
      const value = Number(text.replace(/,/g, ''))
      return text !== '' && Number.isInteger(value) ? { value, error: null } : { error: t('A whole number') }
    }
    case 'number': {
      const value = Number(text)
      return text !== '' && Number.isFinite(value) ? { value, error: null } : { error: t('A number, such as 0.5 or 1e-5') }
    }
    case 'choice':
      return setting.choices?.includes(text) === false ? { error: t('One of {choices}', { choices: setting.choices.join(', ') }) } : { value: text, error: null }
    case 'text':
      return { value: input, error: null }
  }
}

export interface Resolved {
  /** What differs from the preset, ready for the engine. */
  readonly overrides: Readonly<Record<string, unknown>>
  readonly errors: Readonly<Record<string, string>>
}

export function resolveDraft(settings: readonly Setting[], draft: Draft): Resolved {
  const overrides: Record<string, unknown> = {}
  const errors: Record<string, string> = {}
  for (const setting of settings) {
    const input = draft[setting.key]
    if (input === undefined) continue
    const parsed = parseSetting(setting, input)
    if (parsed.error !== null) errors[setting.key] = parsed.error
    else if (parsed.value !== setting.value) overrides[setting.key] = parsed.value
  }
  return { overrides, errors }
}

/** A value as it stands in the field: 0.00001 as 1e-5, as people write rates. */
export function settingText(value: unknown): string {
  if (typeof value !== 'number') return String(value ?? '')
  if (value !== 0 && Math.abs(value) < 0.001) return value.toExponential().replace('e-0', 'e-')
  return String(value)
}

/** The draft that gives a run's frozen settings again on top of its preset. */
export function draftFromConfig(settings: readonly Setting[], config: Readonly<Record<string, unknown>>): Draft {
  const draft: Record<string, string | boolean> = {}
  for (const setting of settings) {
    const value = config[setting.key]
    if (value === undefined || value === setting.value) continue
    draft[setting.key] = typeof value === 'boolean' ? value : settingText(value)
  }
  return draft
}

/** A value in words: on and off, rates as people write them. */
export const shownValue = (value: unknown): string => (typeof value === 'boolean' ? (value ? t('on') : t('off')) : settingText(value) || t('empty'))

/** A setting of a sweep with its values as typed. */
export interface SweepDraft {
  readonly key: string
  readonly text: string
}

/** The values of a sweep, or what is wrong with them, axis by axis. */
export function resolveSweep(settings: readonly Setting[], axes: readonly SweepDraft[]): { readonly axes: { key: string; values: unknown[] }[]; readonly errors: (string | null)[]; readonly runs: number } {
  const resolved = axes.map(({ key, text }, i) => {
    const setting = settings.find((one) => one.key === key)
    const words = text.split(',').map((word) => word.trim()).filter((word) => word !== '')
    const parsed = setting ? words.map((word) => parseSetting(setting, setting.kind === 'boolean' ? word === 'on' || word === 'true' : word)) : []
    const values = parsed.flatMap((one) => (one.error === null ? [one.value] : []))
    const wrong = parsed.find((one) => one.error !== null)?.error
    const unknownWord = setting?.kind === 'boolean' ? words.find((word) => !['on', 'off', 'true', 'false'].includes(word)) : undefined
    const error = axes.findIndex((axis) => axis.key === key) < i ? t('Choose another setting than the first')
      : unknownWord !== undefined ? t('on or off') : wrong ?? (values.length < 2 ? t('At least two values') : new Set(values).size < values.length ? t('A value is given twice') : null)
    return { key, values, error }
  })
  return { axes: resolved.map(({ key, values }) => ({ key, values })), errors: resolved.map(({ error }) => error), runs: resolved.reduce((product, { values }) => product * values.length, 1) }
}
