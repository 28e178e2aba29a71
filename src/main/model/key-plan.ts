/**
 * Which tensor of a file becomes which parameter, from names and shapes alone: nothing is read and no tensor is made, so the
 * account of keys of the largest checkpoint costs nothing.
 */
import type { ModelConfig } from '../../shared/config/model-config.ts'
import { AppError, type KeySummary } from '../../shared/errors.ts'
import { momentumName, parameterSpecs } from './params.ts'

export interface Shaped {
  readonly shape: readonly number[]
}

export interface Reshaped {
  readonly name: string
  readonly from: readonly number[]
  readonly to: readonly number[]
}

/** How the tensors of a file and the parameters of a model go together. */
export interface KeyAccount {
  readonly loaded: readonly string[]
  readonly missing: readonly string[]
  /** In the file but not in the model. */
  readonly unexpected: readonly string[]
  /** Known and not needed: copies of tied weights, position ids, parts that this configuration does not use. */
  readonly unused: readonly string[]
  /** Fitted to other sizes: interpolated to another number of cells, or cut to shorter texts. */
  readonly reshaped: readonly Reshaped[]
  /** What was started anew or taken in part, in plain sentences. */
  readonly notes: readonly string[]
}

export interface KeyPlan<T extends Shaped> extends KeyAccount {
  /** By the parameter's name: where its values come from, and what is done to them. */
  readonly sources: ReadonlyMap<string, { readonly tensor: T; readonly shape: readonly number[]; readonly change: 'none' | 'positions' | 'first rows' }>
  readonly queues: { readonly image: T; readonly text: T; readonly imagePointer: T | null; readonly textPointer: T | null } | null
  /** Parameters whose tensors have sizes that cannot be fitted, in words. */
  readonly wrongShape: readonly string[]
}

/** Compares a file with a model. Nothing is refused here: see refuseUnfit. */
export function planKeys<T extends Shaped>(config: ModelConfig, stored: ReadonlyMap<string, T>): KeyPlan<T> {
  const named = modelTensors(stored)
  const sources = new Map<string, { tensor: T; shape: readonly number[]; change: 'none' | 'positions' | 'first rows' }>()
  const used = new Set<string>()
  const [loaded, missing, reshaped, notes, wrongShape]: [string[], string[], Reshaped[], string[], string[]] = [[], [], [], [], []]

  const take = (name: string, shape: readonly number[], optional: boolean): boolean => {
    const tensor = named.get(name)
    if (!tensor) {
      if (!optional) missing.push(name)
      return false
    }
    used.add(name)
    loaded.push(name)
    const change = changeFor(name, tensor.shape, shape)
    if (change === null) wrongShape.push(`${name} is ${sizes(tensor.shape)}, but this model needs ${sizes(shape)}`)
    else {
      sources.set(name, { tensor, shape, change })
      if (change !== 'none') reshaped.push({ name, from: tensor.shape, to: shape })
    }
    return true
  }
  const specs = parameterSpecs(config)
  for (const { name, shape } of specs) take(name, shape, false)
  const copies = specs.flatMap(({ name, shape }) => (momentumName(name) ? [{ name: momentumName(name)!, shape }] : []))
  if (config.momentum !== null) {
    const found = copies.filter(({ name, shape }) => take(name, shape, true)).length
    if (found === 0) notes.push('There is no momentum copy in it; the copy starts equal to the model.')
    else if (found < copies.length) notes.push(`Its momentum copy is incomplete (${found} of ${copies.length} tensors); the others start equal to the model.`)
  }
  const queues = planQueues(config, named, used, notes)
  const copyNames = new Set(copies.map(({ name }) => name))
  const left = [...named.keys()].filter((name) => !used.has(name))
  const isUnused = (name: string): boolean => copyNames.has(name) || isRedundant(name) || /^(image|text|idx)_queue$|^queue_ptr/.test(name)
  return { sources, queues, loaded, missing, unexpected: left.filter((name) => !isUnused(name)), unused: left.filter(isUnused), reshaped, notes, wrongShape }
}

/**
 * The model's tensors under the names of the training code: a surrounding 'model.', 'state_dict.' or 'module.' is taken off,
 * and the evaluation code's 'text_encoder.x' gets its 'bert.' back.
 */
export function modelTensors<T>(stored: ReadonlyMap<string, T>): Map<string, T> {
  const keys = [...stored.keys()]
  const around = ['model.', 'state_dict.'].find((prefix) => keys.some((name) => name.startsWith(prefix)))
  const named = new Map<string, T>()
  for (const [name, tensor] of stored) {
    if (around && !name.startsWith(around)) continue // the optimizer's state and the like
    const bare = (around ? name.slice(around.length) : name).replace(/^module\./, '')
    named.set(bare.replace(/^(text_encoder(?:_m)?)\.(embeddings|encoder)\./, '$1.bert.$2.'), tensor)
  }
  return named
}

/** The account as it is shown and stored: every key by name, counts of those that simply fit. */
export function summaryOf(plan: Pick<KeyPlan<Shaped>, 'loaded' | 'missing' | 'unexpected' | 'reshaped'>): KeySummary {
  return {
    loaded: plan.loaded.length,
    missing: [...plan.missing],
    unexpected: [...plan.unexpected],
    reshaped: plan.reshaped.map(({ name, from, to }) => `${name}: ${sizes(from)} became ${sizes(to)}`),
  }
}

/** @throws AppError 'bad-input', with the whole account beside the sentence */
export function refuseUnfit(plan: KeyPlan<Shaped>, place: string, allowMissing: boolean): void {
  const keys = summaryOf(plan)
  const fail = (message: string, cure: string) => new AppError('bad-input', message, cure, place, { keys })
  if (plan.loaded.length === 0) throw fail(`${place} holds none of this model's parameters: it is not a checkpoint of this kind of model.`, 'Choose an ALBEF or AMC checkpoint.')
  if (plan.wrongShape.length > 0) throw fail(`${place} belongs to a model of other sizes: ${list(plan.wrongShape)}.`, 'Choose the model configuration that this checkpoint was made with.')
  if (plan.missing.length > 0 && !allowMissing) {
    throw fail(`${place} lacks ${plan.missing.length} of the model's parameters: ${list(plan.missing)}.`, 'Choose a complete checkpoint or the configuration it was made with; missing parts can be started anew only when asked for.')
  }
}

export function list(items: readonly string[]): string {
  return items.length > 4 ? `${items.slice(0, 4).join(', ')} and ${items.length - 4} more` : items.join(', ')
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((n, i) => n === b[i])
const sizes = (shape: readonly number[]): string => (shape.length === 0 ? 'a single number' : shape.join(' x '))

/** Copies of tied weights and position ids. */
function isRedundant(name: string): boolean {
  return name.endsWith('.position_ids') || /\.cls\.predictions\.decoder\.(weight|bias)$/.test(name)
}

function changeFor(name: string, from: readonly number[], to: readonly number[]): 'none' | 'positions' | 'first rows' | null {
  if (sameShape(from, to)) return 'none'
  const isGrid = (tokens: number): boolean => tokens > 1 && Number.isInteger(Math.sqrt(tokens - 1))
  if (name.endsWith('.pos_embed') && from.length === 3 && from[0] === 1 && from[2] === to[2] && isGrid(from[1]!) && isGrid(to[1]!)) return 'positions'
  // Places of words count from the start: a model of shorter texts takes the first ones.
  if (name.endsWith('.position_embeddings.weight') && from.length === 2 && from[1] === to[1] && from[0]! > to[0]!) return 'first rows'
  return null
}

function planQueues<T extends Shaped>(config: ModelConfig, named: ReadonlyMap<string, T>, used: Set<string>, notes: string[]): KeyPlan<T>['queues'] {
  if (config.queue_size === 0) return null
  const [image, text] = [named.get('image_queue'), named.get('text_queue')]
  const isQueue = (tensor: T | undefined): tensor is T => tensor?.shape.length === 2 && tensor.shape[0] === config.embed_dim && tensor.shape[1]! > 0
  if (!isQueue(image) || !isQueue(text) || !sameShape(image.shape, text.shape)) {
    notes.push(image ? 'Its queues have another form; they start anew.' : 'There are no queues in it; they start anew.')
    return null
  }
  const [has, needs] = [image.shape[1]!, config.queue_size]
  if (has > needs) notes.push(`Its queues hold ${has} features, this model's ${needs}: the newest ${needs} are taken.`)
  if (has < needs) notes.push(`Its queues hold ${has} features, this model's ${needs}: ${needs - has} more start anew.`)
  const pointer = (...candidates: string[]): T | null => {
    const name = candidates.find((candidate) => named.has(candidate))
    if (name) used.add(name)
    return name ? named.get(name)! : null
  }
  used.add('image_queue').add('text_queue')
  return { image, text, imagePointer: pointer('queue_ptr_img', 'queue_ptr'), textPointer: pointer('queue_ptr_txt', 'queue_ptr') }
}
