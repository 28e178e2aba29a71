/**
 * The settings of a training run: one table from which come the file format (configs/run/*.yaml, nested), the flat names
 * of overrides (`loss.amc=0`), the form of the Train screen and every message about a wrong value. Pure; files are read
 * by src/main/train/presets.ts.
 */
import { z } from 'zod'
import { AppError, nearest } from '../errors.ts'

interface SettingMeta {
  readonly label: string
  readonly help: string
  readonly kind: 'integer' | 'number' | 'boolean' | 'choice' | 'text'
  readonly choices?: readonly string[]
  readonly advanced: boolean
}
interface Bounds {
  readonly min?: number
  readonly max?: number
}
const BASIC = false
const ADVANCED = true

function integer(label: string, help: string, initial: number, advanced: boolean, { min = 0, max = Number.MAX_SAFE_INTEGER }: Bounds = {}) {
  return z.int().min(min).max(max).default(initial).meta({ label, help, kind: 'integer', advanced } satisfies SettingMeta)
}
function number(label: string, help: string, initial: number, advanced: boolean, { min = 0, max = Infinity }: Bounds = {}) {
  const schema = Number.isFinite(max) ? z.number().min(min).max(max) : z.number().min(min)
  return schema.default(initial).meta({ label, help, kind: 'number', advanced } satisfies SettingMeta)
}
function yesNo(label: string, help: string, initial: boolean, advanced: boolean) {
  return z.boolean().default(initial).meta({ label, help, kind: 'boolean', advanced } satisfies SettingMeta)
}
function choice<const T extends readonly [string, ...string[]]>(label: string, help: string, choices: T, initial: T[number], advanced: boolean) {
  return z
    .enum(choices)
    .default(initial as never)
    .meta({ label, help, kind: 'choice', choices, advanced } satisfies SettingMeta)
}
function text(label: string, help: string, initial: string, advanced: boolean) {
  return z.string().default(initial).meta({ label, help, kind: 'text', advanced } satisfies SettingMeta)
}
const SHARE = { min: 0, max: 1 }

export const runConfigSchema = z.strictObject({
  title: text('Title', 'What this preset is called on the Train screen.', 'Untitled preset', ADVANCED),
  summary: text('Summary', 'One sentence about when to use it.', '', ADVANCED),
  model: text('Model', 'Name of the model sizes in configs/model, without ".yaml". A start checkpoint brings its own.', 'demo', ADVANCED),
  steps: integer('Steps', 'Optimizer steps of the whole run. 0 counts epochs instead.', 1000, BASIC),
  epochs: number('Epochs', 'Passes over the training images, used when steps is 0.', 30, BASIC),
  seed: integer('Seed', 'Decides the initial weights, the order of samples and every random choice: the same seed repeats the run.', 0, BASIC, { max: 2 ** 31 - 1 }),
  batch: z
    .strictObject({
      images: integer('Images a step', 'How many images one step sees. More is steadier and needs more memory.', 32, BASIC, { min: 1, max: 4096 }),
      phrases: integer('Phrases an image', 'How many regions of each image one step uses, at most; an image with fewer than the others repeats some.', 1, ADVANCED, { min: 1, max: 32 }),
    })
    .prefault({}),
  loss: z
    .strictObject({
      amc: number('Weight of AMC', 'How strongly heatmaps are pulled into their regions. 0 trains without AMC.', 1, BASIC),
      itm: yesNo('Image-text matching', 'Learn whether a phrase belongs to an image (ITM). AMC needs it: heatmaps explain its answer.', true, ADVANCED),
      mlm: yesNo('Masked words', 'Learn to guess masked words from the image and the rest of the phrase (MLM).', true, ADVANCED),
      amcMean: number('AMC, mean part', 'Weight of the margin between mean heat inside and outside.', 0.2, ADVANCED),
      amcMax: number('AMC, maximum part', 'Weight of the margin between the hottest points inside and outside.', 0.8, ADVANCED),
      meanMargin: number('Margin of means', 'Mean heat inside must exceed the mean outside by this much.', 0.1, ADVANCED, SHARE),
      maxMargin: number('Margin of maxima', 'The hottest point inside must exceed the hottest outside by this much.', 0.5, ADVANCED, SHARE),
      distillation: number('Distillation', 'Share of the soft targets of the momentum model, ramped up over the first epoch. Needs a model with momentum.', 0.4, ADVANCED, SHARE),
      mlmDistillAxis: choice(
        'Axis of MLM distillation',
        'vocabulary is right; sequence repeats a slip of the published code, to compare with it.',
        ['vocabulary', 'sequence'],
        'vocabulary',
        ADVANCED,
      ),
    })
    .prefault({}),
  optimizer: z
    .strictObject({
      learningRate: number('Learning rate', 'The highest learning rate, reached after the warm-up.', 1e-5, BASIC),
      weightDecay: number('Weight decay', 'AdamW weight decay; biases and one-dimensional parameters are spared.', 0.02, ADVANCED),
      beta1: number('Beta 1', 'AdamW memory of the gradient.', 0.9, ADVANCED, { max: 0.9999 }),
      beta2: number('Beta 2', 'AdamW memory of the squared gradient.', 0.999, ADVANCED, { max: 0.99999 }),
      epsilon: number('Epsilon', 'AdamW term that keeps divisions finite.', 1e-8, ADVANCED),
      clipNorm: number('Gradient limit', 'Gradients of a larger total norm are scaled down to it. 0 switches this off.', 0, ADVANCED),
    })
    .prefault({}),
  schedule: z
    .strictObject({
      kind: choice(
        'Schedule',
        'steps: linear warm-up, then one cosine over the run. reference: the published code, by epochs, its cut warm-up included.',
        ['steps', 'reference'],
        'steps',
        ADVANCED,
      ),
      warmupSteps: integer('Warm-up steps', 'Steps over which the learning rate rises (schedule steps).', 50, ADVANCED),
      finalShare: number('Final share', 'Share of the learning rate left at the end (schedule steps).', 0.05, ADVANCED, SHARE),
      minLearningRate: number('Lowest rate', 'Learning rate at the end of the cosine (schedule reference).', 1e-6, ADVANCED),
      warmupLearningRate: number('First rate', 'Learning rate of the first steps (schedule reference).', 1e-6, ADVANCED),
      warmupHundreds: integer('Warm-up in hundreds', 'Length of the warm-up in hundreds of steps (schedule reference).', 20, ADVANCED),
      periodEpochs: integer('Period', 'Epochs of one half cosine (schedule reference).', 30, ADVANCED, { min: 1 }),
    })
    .prefault({}),
  curriculum: z
    .strictObject({
      contrastOnly: number('ITC only, until', 'Share of the run in which only ITC is on, over close-ups.', 0, ADVANCED, SHARE),
      closeUps: number('Close-ups, until', 'Share of the run in which only images of kind "close-up" are seen, where the dataset has them.', 0, ADVANCED, SHARE),
      uniformNegatives: number('Uniform negatives, until', 'Share of the run in which ITM negatives are drawn uniformly.', 0, ADVANCED, SHARE),
      hardNegatives: number('Hard negatives', 'Share of ITM negatives drawn by similarity after that; 1 is the published way.', 1, ADVANCED, SHARE),
    })
    .prefault({}),
  data: z
    .strictObject({
      flip: number('Flip', 'Chance that an image and its boxes are mirrored.', 0.5, ADVANCED, SHARE),
      swapLeftRight: yesNo('Swap left and right', 'Exchange the words left and right in the phrases of a mirrored image.', true, ADVANCED),
      grayscale: number('Grayscale', 'Chance that an image loses its colours.', 0.2, ADVANCED, SHARE),
      colorJitter: number('Colour jitter', 'Chance that brightness, contrast, saturation and hue are changed.', 0.5, ADVANCED, SHARE),
      resize: choice(
        'Resize',
        'How training images reach the size of the model: linear (as the published training code, without smoothing) or bicubic (smoothed, as evaluation).',
        ['linear', 'bicubic'],
        'linear',
        ADVANCED,
      ),
      boxes: choice('Boxes of a phrase', 'one draws a box at random each time, as published; all uses their union.', ['one', 'all'], 'all', ADVANCED),
      trueNegatives: yesNo(
        'True negatives only',
        'A phrase is never a negative for an image of which it is known to be true (same phrase, or same category and colour where the dataset tells).',
        true,
        ADVANCED,
      ),
    })
    .prefault({}),
  validation: z
    .strictObject({
      every: integer('Validate every', 'Steps between validations. 0 validates at the end only.', 100, BASIC),
      images: integer('Validation images', 'How many images of the val split are scored each time, drawn once by the seed. 0 takes all.', 100, ADVANCED),
      probes: integer('Probe samples', 'How many validation regions keep their heatmaps for the film strip.', 8, ADVANCED, { max: 64 }),
    })
    .prefault({}),
  save: z
    .strictObject({
      every: integer('Save every', 'Steps between saved states. A killed run loses at most this much.', 100, ADVANCED, { min: 1 }),
      keep: integer('Checkpoints kept', 'The newest ones; the best and the last are always kept.', 3, ADVANCED, { min: 1 }),
      precision: choice('Precision of checkpoints', 'fp16 halves the files; states for resuming are always fp32.', ['fp32', 'fp16'], 'fp32', ADVANCED),
    })
    .prefault({}),
})

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
  const { contrastOnly, closeUps, uniformNegatives } = config.curriculum
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
