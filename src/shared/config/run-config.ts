/**
 * The settings of a training run: one table (run-settings.ts) gives the file format (configs/run/*.yaml, nested), the flat names
 * of overrides (`loss.amc=0`), the form of the Train screen and every message about a wrong value. Pure; files are read
 * by src/main/train/presets.ts.
 */
import { z } from 'zod'
import { AppError, nearest } from '../errors.ts'
import { runConfigSchema, type SettingMeta } from './run-settings.ts'

/** A run's resolved settings, complete. */
export type RunConfig = z.infer<typeof runConfigSchema>
export type FlatSettings = Readonly<Record<string, string | number | boolean>>

export interface Setting extends SettingMeta {
  readonly key: string
  readonly value: unknown
}

interface Leaf extends SettingMeta {
  readonly key: string
  readonly schema: z.ZodType
}
const LEAVES: readonly Leaf[] = leavesOf(runConfigSchema, '')
const KEYS = LEAVES.map((leaf) => leaf.key)
const SECTIONS = [...new Set(KEYS.filter((key) => key.includes('.')).map((key) => key.split('.')[0]!))]
const LEAF = new Map(LEAVES.map((leaf) => [leaf.key, leaf]))

function leavesOf(schema: z.ZodObject, prefix: string): Leaf[] {
  return Object.entries(schema.shape).flatMap(([name, child]) => {
    const key = prefix + name
    const inner: unknown = child instanceof z.ZodPrefault ? child.unwrap() : child
    if (inner instanceof z.ZodObject) return leavesOf(inner, `${key}.`)
    return [{ key, schema: child as z.ZodType, ...((child as z.ZodType).meta() as unknown as SettingMeta) }]
  })
}

/** The settings of a preset for a form, in the order of the table. */
export function settingsOf(config: RunConfig): Setting[] {
  const flat = flattenConfig(config)
  return LEAVES.filter((leaf) => leaf.key !== 'title' && leaf.key !== 'summary').map(({ schema: _schema, ...leaf }) => ({
    ...leaf,
    value: flat[leaf.key],
  }))
}

/** What a setting is called and does, in the language of whoever asks: the engine's answers are in English. */
export function settingWords(key: string): Pick<SettingMeta, 'label' | 'help'> | null {
  const leaf = LEAF.get(key)
  return leaf ? { label: leaf.label, help: leaf.help } : null
}

export function flattenConfig(config: RunConfig): FlatSettings {
  const flat: Record<string, string | number | boolean> = {}
  for (const key of KEYS) {
    let value: unknown = config
    for (const part of key.split('.')) value = (value as Record<string, unknown>)[part]
    flat[key] = value as string | number | boolean
  }
  return flat
}

/** Checks nested data, as it stands in a YAML file. `place` names the file in messages. Throws AppError 'bad-input'. */
export function parseRunConfig(data: unknown, place = 'The run settings'): RunConfig {
  if (data === null || typeof data !== 'object' || Array.isArray(data)) {
    throw new AppError('bad-input', `${place} hold no settings.`, 'Write one "name: value" a line; configs/run has examples.', place)
  }
  return withOverrides(runConfigSchema.parse({}), flattenInput(data as Record<string, unknown>, '', place), place)
}

/** A preset with flat overrides applied and checked. Throws AppError 'bad-input' that names the key. */
export function withOverrides(config: RunConfig, overrides: Readonly<Record<string, unknown>>, place?: string): RunConfig {
  const nested = structuredClone(config) as Record<string, unknown>
  for (const [key, value] of Object.entries(overrides)) {
    const parts = key.split('.')
    let target = nested
    for (const part of parts.slice(0, -1)) target = target[part] as Record<string, unknown>
    target[parts.at(-1)!] = checkedSetting(key, value, place)
  }
  const result = nested as RunConfig
  const problem = contradiction(result)
  if (problem) throw new AppError('bad-input', problem.message, problem.cure, problem.key)
  return result
}

function checkedSetting(key: string, value: unknown, place?: string): unknown {
  const leaf = LEAF.get(key)
  if (!leaf) throw unknownKey(key, place)
  const parsed = leaf.schema.safeParse(value)
  if (parsed.success && value !== undefined) return parsed.data
  const where = place ? `${place}: ` : ''
  throw new AppError('bad-input', `${where}${key} cannot be ${JSON.stringify(value)}: it must be ${expectation(leaf)}.`, leaf.help, key)
}

function expectation(leaf: Leaf): string {
  if (leaf.kind === 'choice') return `one of ${leaf.choices!.join(', ')}`
  if (leaf.kind === 'boolean') return 'true or false'
  if (leaf.kind === 'text') return 'a text'
  const inner = (leaf.schema as z.ZodDefault<z.ZodNumber>).unwrap()
  const { minValue, maxValue } = inner
  const noun = leaf.kind === 'integer' ? 'a whole number' : 'a number'
  if (maxValue !== null && maxValue < Number.MAX_SAFE_INTEGER) return `${noun} from ${minValue} to ${maxValue}`
  return `${noun} of at least ${minValue}`
}

function unknownKey(key: string, place?: string): AppError {
  const near = nearest(key, key.includes('.') ? KEYS : [...KEYS, ...SECTIONS]) ?? KEYS.find((known) => known.split('.').at(-1) === key)
  const where = place ? ` in ${place}` : ''
  return new AppError('bad-input', `There is no setting "${key}"${where}.`, near ? `Did you mean "${near}"?` : 'configs/run/demo-amc.yaml shows the common ones.', key)
}

/** What no single value tells: settings that make no sense together. */
function contradiction(config: RunConfig): { key: string; message: string; cure: string } | null {
  if (config.steps === 0 && config.epochs === 0) {
    return { key: 'steps', message: 'steps and epochs are both 0, so the run would do nothing.', cure: 'Set one of them.' }
  }
  if (config.loss.amc > 0 && !config.loss.itm) {
    return {
      key: 'loss.itm',
      message: 'AMC is on but image-text matching is off, and heatmaps explain the matching answer.',
      cure: 'Set loss.itm to true, or loss.amc to 0.',
    }
  }
  const { contrastOnly, closeUps, uniformNegatives, views } = config.curriculum
  if (closeUps > 0 && views !== '') {
    return {
      key: 'curriculum.views',
      message: 'curriculum.closeUps and curriculum.views are both set, and each of them says what is seen when.',
      cure: 'Set curriculum.closeUps to 0, or leave curriculum.views empty.',
    }
  }
  if (contrastOnly > 0 && contrastOnly > Math.max(closeUps, uniformNegatives)) {
    return {
      key: 'curriculum.contrastOnly',
      message: `curriculum.contrastOnly (${contrastOnly}) ends after the stages that follow it.`,
      cure: 'Give the stages rising shares: contrastOnly, closeUps, uniformNegatives.',
    }
  }
  return null
}

function flattenInput(data: Record<string, unknown>, prefix: string, place: string): Record<string, unknown> {
  const flat: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(data)) {
    const key = prefix + name
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      if (!KEYS.some((known) => known.startsWith(`${key}.`))) throw unknownKey(key, place)
      Object.assign(flat, flattenInput(value as Record<string, unknown>, `${key}.`, place))
    } else {
      flat[key] = value
    }
  }
  return flat
}

/** The value of a `--set key=value` argument, by the kind of the setting. Throws AppError 'usage' or 'bad-input'. */
export function parseAssignment(argument: string): { key: string; value: unknown } {
  const at = argument.indexOf('=')
  if (at < 1) throw new AppError('usage', `--set needs key=value, but got "${argument}".`, 'For example: --set steps=300')
  const key = argument.slice(0, at).trim()
  const raw = argument.slice(at + 1).trim()
  const leaf = LEAF.get(key)
  if (!leaf) throw unknownKey(key)
  let value: unknown = raw
  if (leaf.kind === 'boolean') value = raw === 'true' ? true : raw === 'false' ? false : raw
  else if (leaf.kind === 'integer' || leaf.kind === 'number') value = raw !== '' && Number.isFinite(Number(raw)) ? Number(raw) : raw
  return { key, value: checkedSetting(key, value) }
}
