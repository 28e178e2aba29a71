import { join, resolve } from 'node:path'
import type { CheckpointOutcome, EvaluateOptions, Task } from '../eval/evaluate.ts'
import type { Protocol } from '../eval/protocol.ts'
import { AppError } from '../../shared/errors.ts'
import type { Command, CommandInput, CommandIo, CommandResult } from './command.ts'
import { EXPLAINER_HELP } from './explainer-options.ts'
import { pickDataset, pickNamed } from './lookup.ts'
import { PROJECT_OPTION, withProject } from './project.ts'

const file = (help: string, multiple = false) => ({ type: 'string', value: 'FILE', help, multiple }) as const

export const evaluateCommand: Command = {
  name: 'evaluate',
  summary: 'Evaluate a checkpoint, or a folder of them, by a named protocol.',
  positionals: [],
  options: {
    checkpoint: { type: 'string', value: 'FILE|FOLDER', help: 'Checkpoint, or folder of checkpoints; of a project also by name.', required: true },
    protocol: { type: 'string', value: 'NAME|FILE', help: 'flickr30k, flickr30k-original, refcoco+, refclef, view (data of a project), or a YAML file as in configs/eval.' },
    benchmark: { type: 'string', value: 'NAME|FILE', help: 'The same as --protocol.' },
    data: { type: 'string', value: 'DIR', help: 'Folder of the benchmark.' },
    images: { type: 'string', value: 'DIR', help: 'Folder of the images, when it is not in the folder of the benchmark.' },
    ids: file('Flickr30k: list of image ids, instead of val.txt and test.txt.', true),
    boxes: file('Flickr30k: boxes of phrases (or the folder Annotations), one for each --ids.', true),
    sentences: file('Flickr30k: sentences (or the folder Sentences), one for each --ids.', true),
    refs: file('RefCOCO+, RefCLEF: refs(unc).p.'),
    instances: file('RefCOCO+, RefCLEF: instances.json.'),
    'test-file': file('RefCOCO+, RefCLEF: a test file, [{"image", "text", "ref_id"}].', true),
    detections: file("RefCOCO+: a detector's boxes by image id, dets.json."),
    'on-bbox': { type: 'boolean', help: "RefCOCO+: a detector's boxes give the main number, instead of the pointing game." },
    'without-detections': { type: 'boolean', help: "Do not use a detector's boxes." },
    alpha: { type: 'string', value: 'A', help: "Exponent of the area when a detector's boxes are ranked (0.5)." },
    'split-by': { type: 'string', value: 'path|name', help: 'Flickr30k: val when the path of --ids has "val" anywhere (path, as published), or its own name (name).' },
    explainer: { type: 'string', value: 'NAME', help: EXPLAINER_HELP },
    target: { type: 'string', value: 'itm|itc', help: 'itm: why they match, by cross-attention (usual); itc: why they are similar, by the image encoder.' },
    mode: { type: 'string', value: 'itm|itc', help: 'The same as --target.' },
    layer: { type: 'string', value: 'K', help: 'Layer, from 0; usually the one the model names (itm) or 8 (itc). Rollouts go through all.' },
    curves: { type: 'boolean', help: 'Also deletion and insertion curves: 22 more forward passes a phrase.' },
    'image-size': { type: 'string', value: 'PX', help: 'Side of the image for the model; usually the published one, for small models their own.' },
    model: { type: 'string', value: 'NAME|FILE', help: 'Sizes of the model, when a checkpoint does not carry them.' },
    project: { ...PROJECT_OPTION, required: false, help: 'Project folder, for the protocol view.' },
    dataset: { type: 'string', value: 'NAME', help: 'view: dataset, by name or id.' },
    view: { type: 'string', value: 'NAME', help: 'view: a saved view of the dataset, by name or id.' },
    split: { type: 'string', value: 'NAME', help: 'Only this split.', multiple: true },
    out: { type: 'string', value: 'DIR', help: 'Folder of the results (./evaluation, or evaluation in the project).' },
  },
  details: `The main number is the pointing game, AMC strict. A result file a checkpoint holds every sample; one that is there already and was made of the same
checkpoint, data and settings is not computed again. log.jsonl gets a line a checkpoint. An image that is missing counts as a miss for each of its
phrases and is named. Exit code 3 when a checkpoint of a folder could not be evaluated. docs/evaluation.md defines every figure.
Result: {protocol, title, out, metrics: {key: name}, results: [{checkpoint, file, computed, settings, published: {val_d, ...}, publishedDetections,
splits: [{split, samples, unreadable, metrics: {key: mean}}], unreadable: [{image, reason, samples}], notes, seconds}], failed: [{checkpoint, error}]}.`,
  run: async (input, io) => {
    const { explainerOf } = await import('../eval/explainers.ts')
    const { loadProtocol, protocolNames, VIEW } = await import('../eval/protocol.ts')
    const [target, mode] = [input.text('target'), input.text('mode')]
    if (target !== undefined && mode !== undefined && target !== mode) throw new AppError('usage', '--target and --mode are the same and say different things.', 'Leave one of them out.', 'mode')
    const explainer = explainerOf(input.text('explainer'), target ?? mode)
    const asked = { explainer, curves: input.has('curves'), layer: input.integer('layer'), imageSize: input.integer('image-size', { min: 1 }) }
    const name = input.text('protocol') ?? input.text('benchmark')
    if (name === undefined || (input.text('protocol') !== undefined && input.text('benchmark') !== undefined)) {
      throw new AppError('usage', 'amc evaluate needs --protocol NAME, once.', `There are ${(await protocolNames()).join(', ')}.`, 'protocol')
    }
    if (input.has('on-bbox') && input.has('without-detections')) throw new AppError('usage', '--on-bbox and --without-detections exclude each other.', 'Leave one of them out.', 'on-bbox')
    if (name === VIEW) return evaluateView(input, io, asked)
    for (const option of ['dataset', 'view', 'project']) if (input.text(option) !== undefined) throw new AppError('usage', `--${option} goes with --protocol view only.`, 'Leave it out, or choose the protocol view.', option)
    return evaluateBenchmark(input, io, await loadProtocol(name), asked)
  },
}

type Asked = Pick<Task, 'curves' | 'explainer' | 'layer' | 'imageSize'>

async function evaluateBenchmark(input: CommandInput, io: CommandIo, protocol: Protocol, asked: Asked): Promise<CommandResult> {
  const { OPTION_OF, readBenchmark } = await import('../eval/benchmark.ts')
  const { checkpointsOf } = await import('../eval/evaluate.ts')
  const { FIXED_KEYS, RESULT_KEYS } = await import('../eval/protocol.ts')
  const dataDir = input.text('data')
  if (dataDir === undefined) throw new AppError('usage', `The protocol ${protocol.name} needs --data DIR.`, 'Name the folder of the benchmark.', 'data')
  const splitBy = input.text('split-by') ?? 'path'
  if (splitBy !== 'path' && splitBy !== 'name') throw new AppError('usage', `--split-by is path or name; it is "${splitBy}".`, 'Leave it out for the published rule.', 'split-by')
  const given = Object.fromEntries(Object.entries(OPTION_OF).flatMap(([name, option]) => (input.all(option).length > 0 ? [[name, input.all(option).map((path) => resolve(path))]] : [])))
  const paths = await checkpointsOf(resolve(input.need('checkpoint')))
  const read = await readBenchmark(protocol, { dataDir: resolve(dataDir), given, splitBy, withoutDetections: input.has('without-detections') })
  const splits = input.all('split')
  const samples = splits.length > 0 ? read.samples.filter(({ split }) => splits.includes(split)) : read.samples
  if (samples.length === 0) throw new AppError('bad-input', `${protocol.title} has nothing in ${splits.join(', ')}.`, `There are ${[...new Set(read.samples.map(({ split }) => split))].join(', ')}.`, 'split')
  if (input.has('on-bbox') && !samples.some(({ detections }) => detections)) {
    throw new AppError('not-found', `There are no boxes of a detector for ${protocol.title}.`, 'Name them with --detections.', 'on-bbox')
  }
  const task: Task = {
    ...asked, name: protocol.name, main: input.has('on-bbox') ? 'detectorBoxes' : 'pointing', title: protocol.title, benchmark: { ...read, samples }, keyOf: RESULT_KEYS[protocol.counts], fixedKeys: splits.length > 0 ? [] : FIXED_KEYS[protocol.counts],
    publishedSize: protocol.imageSize, resize: protocol.resize, orientation: 'as stored', maxWords: protocol.maxWords, tokens: 'all',
    detectorAlpha: alphaOf(input.text('alpha')) ?? protocol.detectorAlpha, splits: splits.length > 0 ? splits : null,
  }
  return evaluate(paths, { task, modelConfig: input.text('model'), outDir: resolve(input.text('out') ?? 'evaluation') }, io)
}

function alphaOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 2)) throw new AppError('usage', `--alpha must be a number from 0 to 2; it is "${text}".`, 'The published scripts use 0.5.', 'alpha')
  return value
}

async function evaluateView(input: CommandInput, io: CommandIo, asked: Asked): Promise<CommandResult> {
  if (input.text('project') === undefined) throw new AppError('usage', 'The protocol view needs --project DIR.', 'Name the project whose data is evaluated.', 'project')
  const { projectCheckpoint, projectKeeper, viewBenchmark } = await import('../eval/view.ts')
  const { checkpointsOf } = await import('../eval/evaluate.ts')
  const { LONGEST_PHRASE } = await import('../train/scoring.ts')
  return withProject(input, io, async (engine) => {
    const dataset = await pickDataset(engine.handlers, input.text('dataset'))
    const wanted = input.text('view')
    const view = wanted === undefined ? null : pickNamed(await engine.handlers.views.list({ datasetId: dataset.id }), wanted, 'view', 'view')
    const splits = input.all('split')
    const benchmark = viewBenchmark(engine, { dataset, view, splits })
    const named = input.need('checkpoint')
    const known = (await engine.handlers.checkpoints.list({})).some(({ id, name }) => id === named || name === named)
    const files = known ? [named] : await checkpointsOf(resolve(named))
    const checkpoints = new Map<string, string>()
    for (const one of files) {
      const { path, id } = await projectCheckpoint(engine, one, input.text('model'), io.note)
      checkpoints.set(path, id)
    }
    const task: Task = {
      ...asked, name: 'view', main: 'pointing', title: view ? `${dataset.name}, view ${view.name}` : dataset.name, benchmark, keyOf: (split) => split, fixedKeys: [],
      publishedSize: null, resize: 'bicubic', orientation: 'as seen', maxWords: LONGEST_PHRASE, tokens: 'model', detectorAlpha: 0.5, splits: splits.length > 0 ? splits : null,
    }
    const keeper: EvaluateOptions['keeper'] = (path, settings, model) => projectKeeper(engine, { datasetId: dataset.id, checkpointId: checkpoints.get(path)!, revisions: benchmark.revisions }, settings, model)
    return evaluate([...checkpoints.keys()], { task, modelConfig: undefined, outDir: resolve(input.text('out') ?? join(input.need('project'), 'evaluation')), keeper }, io)
  })
}

async function evaluate(paths: readonly string[], options: Pick<EvaluateOptions, 'task' | 'modelConfig' | 'outDir' | 'keeper'>, io: CommandIo): Promise<CommandResult> {
  const { evaluateCheckpoints } = await import('../eval/evaluate.ts')
  const { loadBackend } = await import('../compute/backend.ts')
  const { setTf } = await import('../model/tf.ts')
  const { METRICS } = await import('../eval/metrics.ts')
  setTf((await loadBackend()).tf)
  for (const note of options.task.benchmark.notes) io.note(note)
  const outcomes = await evaluateCheckpoints(paths, {
    ...options, signal: io.signal, note: io.note, onProgress: (checkpoint, done, total) => io.progress.report(`Evaluating ${checkpoint}`, done, total),
  })
  io.progress.end()
  const done = outcomes.flatMap(({ result, ...outcome }) => (result ? [{ ...outcome, result }] : []))
  const { name, title } = options.task
  return {
    json: {
      protocol: name, title, out: options.outDir, metrics: done[0]?.result.metrics ?? {},
      results: done.map(({ checkpoint, file, computed, result: { settings, published, publishedDetections, splits, unreadable, notes, seconds } }) => (
        { checkpoint, file, computed, settings, published, ...(publishedDetections ? { publishedDetections } : {}), splits, unreadable, notes, seconds })),
      failed: outcomes.flatMap(({ checkpoint, error }) => (error ? [{ checkpoint, error }] : [])),
    },
    lines: outcomes.flatMap((outcome) => linesOf(outcome, new Set(METRICS.filter(({ kind }) => kind === 'mean').map(({ key }) => key)))),
    ...(outcomes.some(({ error }) => error) ? { exitCode: 3 } : {}),
  }
}

const percent = (value: number | null | undefined): string => (value == null ? '–' : `${(100 * value).toFixed(2)} %`)

/** @param means metrics that are no shares */
function linesOf({ checkpoint, result, computed, error, file }: CheckpointOutcome, means: ReadonlySet<string>): string[] {
  if (error || !result) return [`${checkpoint}: ${error?.message ?? 'no result'}${error?.cure ? ` ${error.cure}` : ''}`]
  const { title, settings, splits, metrics, unreadable, notes } = result
  const keys = Object.keys(metrics).filter((key) => splits.some((split) => split.metrics[key] != null))
  return [
    `${checkpoint} on ${title} (${settings.mode}, layer ${settings.layer}, ${settings.imageSize} px)${computed ? '' : ', evaluated before'}`,
    ...splits.flatMap((split) => [
      `  ${split.split}: ${split.samples} phrases${split.unreadable > 0 ? `, ${split.unreadable} of them without a heatmap` : ''}`,
      ...keys.map((key) => `    ${metrics[key]!.padEnd(46)} ${means.has(key) ? (split.metrics[key]?.toFixed(4) ?? '–') : percent(split.metrics[key])}`),
    ]),
    ...unreadable.slice(0, 10).map(({ image, reason, samples }) => `  without a heatmap: ${image}: ${reason} (${samples} phrases, counted as misses)`),
    ...(unreadable.length > 10 ? [`  … and ${unreadable.length - 10} more images`] : []),
    ...notes.map((note) => `  Note: ${note}`),
    ...(file ? [`  ${file}`] : []),
  ]
}
