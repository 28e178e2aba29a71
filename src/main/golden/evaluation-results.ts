/** What the evaluation loads and what it leaves: names of the published evaluation's model, result files, points. */
import { openPth } from '../checkpoints/pth.ts'
import { toFloat32 } from '../checkpoints/tensor-file.ts'
import { TorchTensor } from '../checkpoints/torch-objects.ts'
import { modelTensors, paramsFromTensors } from '../model/load-params.ts'
import { disposeParams } from '../model/params.ts'
import { gridSide, type ModelConfig } from '../../shared/config/model-config.ts'
import type { Box } from '../../shared/geometry.ts'
import { batchedMaps, LIST, POINTS, type EvalJson, type Evaluation, type ResultFields } from './evaluation-maps.ts'
import { compareExactly, compareNumbers, failed, TOLERANCES, type Check } from './compare.ts'
import { plain } from './plain.ts'
import { pointChecks, type RecordedPoint } from './points.ts'
import type { GoldenSetup } from './setup.ts'

/** Names of the evaluation's model are understood; the grid is the one of its image size; other queues are no obstacle. */
export async function loadingChecks(setup: GoldenSetup): Promise<Check[]> {
  const json = setup.folder.json<EvalJson>(LIST)
  const { eval_image_res: size, grid, queue_size_mismatch: stops } = json
  const config = { ...setup.config, image: { ...setup.config.image, size } }
  const checks = [compareExactly('grid', gridSide(config), grid), ...fieldChecks(json)]
  const file = await setup.open()
  try {
    checks.push(...nameChecks(json, [...(stateOf(file.root) ?? file.tensors).keys()]))
    if (stops === undefined) return checks
    const { params, report } = paramsFromTensors({ ...config, queue_size: 2 * config.queue_size }, file.tensors)
    disposeParams(params)
    // The published code stops here; we start the queues anew and say so.
    checks.push(compareExactly('queues of another size', [report.missing.length, report.notes.length > 0], [0, true]), stopCheck(stops, config))
    return checks
  } finally {
    file.close()
  }
}

function stateOf(root: unknown): ReadonlyMap<string, unknown> | null {
  const model: unknown = root instanceof Map ? root.get('model') : null
  return model instanceof Map ? (model as ReadonlyMap<string, unknown>) : null
}

/** The published evaluation takes 'bert.' out of every name, has one queue pointer, and no head for masked words. */
function nameChecks({ renamed, missing, unexpected }: EvalJson, names: readonly string[]): Check[] {
  const short = (name: string): string => (name.includes('bert') ? name.replaceAll('bert.', '') : name)
  const own = new Set(names.map(short))
  const checks = Object.keys(renamed).map((name) => compareExactly(renamed[name]!, [...modelTensors(new Map([[renamed[name]!, 0]])).keys()], [name]))
  checks.push(compareExactly('renamed', names.filter((name) => short(name) !== name).sort(), Object.keys(renamed).sort()))
  const left = [...own].filter((name) => /\.cls\.predictions\.|^queue_ptr_/.test(name)).sort()
  if (unexpected) checks.push(compareExactly('names that the published evaluation does not take', left, [...unexpected].sort()))
  const lacking = ['idx_queue', 'queue_ptr'].filter((name) => !own.has(name))
  if (missing) checks.push(compareExactly('names that the published evaluation lacks', lacking, [...missing].sort()))
  return checks
}

/** What the published code says when it stops: it names both queues with the size in the checkpoint. */
function stopCheck(message: string, { embed_dim: width, queue_size: size }: ModelConfig): Check {
  const shapes = [...message.matchAll(/(\w+_queue): copying a param with shape torch\.Size\(\[(\d+), (\d+)\]\)/g)].map(([, name, ...sizes]) => [name, ...sizes.map(Number)])
  return compareExactly('queues that stop the published code', ['image_queue', 'text_queue'].map((name) => [name, width, size]), shapes)
}

function fieldChecks({ refclef_result_fields: refclef, flickr_result_fields: flickr, grid }: EvalJson): Check[] {
  const check = (what: string, fields: ResultFields | undefined, known: readonly string[]): Check[] =>
    fields
      ? [
          compareExactly(`${what}: fields`, Object.keys(fields).sort(), [...known].sort()),
          compareExactly(`${what}: map`, [grid, grid], fields.pred),
          compareExactly(`${what}: number`, 0, fields.ref_id),
        ]
      : []
  return [
    ...check('a result of RefCLEF', refclef, ['ref_id', 'pred', 'image_path', 'split']),
    ...check('a result of Flickr30k', flickr, ['ref_id', 'pred', 'image_height', 'image_width', 'split']),
  ]
}

interface EndToEndJson {
  readonly log: readonly RecordedPoint[]
  readonly result: Readonly<Record<string, number>>
  readonly boxes?: readonly (readonly Box[])[]
  readonly hw?: readonly (readonly [number, number])[]
  readonly splits?: readonly string[]
}

/** From the images to the points: our maps with the recorded boxes, and what the pointing game makes of them. */
export function endToEndChecks(evaluation: Evaluation): Check[] {
  const { setup, json } = evaluation
  const { log, result, boxes, hw, splits } = setup.folder.json<EndToEndJson>(POINTS)
  const maps = batchedMaps(evaluation)
  const heat = (n: number) => ({ width: json.grid, height: json.grid, values: Float32Array.from(maps[n]!) })
  const { flickr_result_fields: flickr, refclef_result_fields: refclef } = json
  return [
    ...pointChecks(heat, log, result),
    compareExactly('numbers', maps.map((_, n) => n), log.map((one) => one.ref_id)),
    ...(boxes ? [compareExactly('boxes', log.map((one) => one.boxes), boxes)] : []),
    ...(hw ? [compareExactly('heights and widths', log.map((one) => one.hw), hw)] : []),
    ...(splits ? [compareExactly('splits', log.map((one) => one.split), splits)] : []),
    ...(flickr ? [compareExactly('first result', [flickr.image_height, flickr.image_width, flickr.split], [...log[0]!.hw, log[0]!.split])] : []),
    ...(refclef ? [compareExactly('first result of RefCLEF', [typeof refclef.split, /\.(png|jpe?g)$/.test(refclef.image_path ?? '')], ['string', true])] : []),
  ]
}

/** A saved result file: one map for each phrase, with the fields that the log repeats. */
export async function resultChecks(evaluation: Evaluation, name: string): Promise<Check[]> {
  const { folder } = evaluation.setup
  const pth = await openPth(folder.path(name))
  try {
    const log = folder.has(POINTS) ? folder.json<EndToEndJson>(POINTS).log : null
    const maps = batchedMaps(evaluation)
    const results = pth.root as readonly ReadonlyMap<string, unknown>[]
    const checks = results.flatMap((result, n): Check[] => {
      const { pred: map, ...fields } = Object.fromEntries(result)
      const what = `map ${n}`
      const [height, width] = log?.[n]?.hw ?? [fields['image_height'], fields['image_width']]
      const want = { ref_id: n, image_height: height, image_width: width, split: log?.[n]?.split ?? fields['split'] }
      return [
        map instanceof TorchTensor ? compareNumbers(what, maps[n] ?? [], toFloat32(pth.entryOf(map, what).read()), TOLERANCES.evaluation) : failed(what, 'it is not a tensor'),
        compareExactly(`${what}: fields`, want, plain(new Map(Object.entries(fields)))),
      ]
    })
    return [compareExactly('results', maps.length, results.length), ...checks]
  } finally {
    pth.close()
  }
}
