/** Heatmaps at the evaluation's image size: cross-attention and image-attention Grad-CAM, whole results with their points. */
import type { TensorFile } from '../checkpoints/tensor-file.ts'
import { encodeImages } from '../model/explain.ts'
import { disposeParams } from '../model/params.ts'
import { preCaption } from '../model/pre-caption.ts'
import { tf } from '../model/tf.ts'
import type { TokenBatch } from '../model/types.ts'
import { imageAttention } from './cases-image-attention.ts'
import { compareExactly, compareNumbers, failed, TOLERANCES, type Check } from './compare.ts'
import { floatsOf, intsOf, tensorOf } from './folder.ts'
import { crossAttention, imagesOf, LIST, POINTS, singleMaps, type EvalJson, type Evaluation } from './evaluation-maps.ts'
import { endToEndChecks, loadingChecks, resultChecks } from './evaluation-results.ts'
import { modelTokenizer, type GoldenCase, type GoldenSetup } from './setup.ts'

const TENSORS = 'eval.safetensors'

export function evaluationCases(setup: GoldenSetup): GoldenCase[] {
  const { folder } = setup
  const cases: GoldenCase[] = []
  if (folder.has(TENSORS) && folder.has(LIST)) {
    const blocks = new Set([...folder.tensors(TENSORS).tensors.keys()].filter((name) => name !== 'images').map((name) => name.split('/')[0]!))
    for (const block of blocks) cases.push({ name: `evaluation ${block}`, run: () => evaluate(setup, (evaluation) => blockChecks(evaluation, block)) })
    cases.push({ name: 'evaluation words', run: async () => wordChecks(setup) })
    cases.push({ name: 'evaluation loading', run: () => loadingChecks(setup) })
    if (folder.has(POINTS)) cases.push({ name: 'evaluation flickr end to end', run: () => evaluate(setup, endToEndChecks) })
  }
  for (const file of folder.files.filter((name) => /^flickr_result_\w+\.pth$/.test(name))) {
    cases.push({ name: `evaluation ${file}`, run: () => evaluate(setup, (evaluation) => resultChecks(evaluation, file)) })
  }
  return cases
}

async function evaluate(setup: GoldenSetup, use: (evaluation: Evaluation) => Check[] | Promise<Check[]>): Promise<Check[]> {
  const json = setup.folder.json<EvalJson>(LIST)
  const params = await setup.load(undefined, json.eval_image_res)
  tf.engine().startScope('golden evaluation')
  try {
    return await use({ setup, params, json, file: setup.folder.tensors(TENSORS) })
  } finally {
    tf.engine().endScope()
    disposeParams(params)
  }
}

function blockChecks(evaluation: Evaluation, block: string): Check[] {
  const { file, params } = evaluation
  if (block === 'image_embeds') {
    const features = encodeImages(params, floatsOf(file, 'images'))
    const check = compareNumbers(block, features.tokens.dataSync(), floatsOf(file, block), TOLERANCES.evaluation)
    features.dispose()
    return [check]
  }
  const [, kind, number] = /^(itm|itc)_block(\d+)$/.exec(block) ?? []
  if (block === 'itm_single') return singleChecks(evaluation)
  if (!kind) return [failed(block, 'nothing here computes it')]
  const names = [...file.tensors.keys()].filter((name) => name.startsWith(`${block}/`))
  const batches = [...new Set(names.flatMap((name) => /\/(batch\d+)\//.exec(name)?.[1] ?? []))].sort(byNumber)
  const checks: Check[] = []
  const maps: number[] = []
  let from = 0
  for (const batch of batches) {
    const text = textOf(file, `${block}/${batch}`)
    const images = imagesOf(evaluation, from, text.count)
    const computed = kind === 'itm' ? crossAttention(evaluation, images, text, Number(number)) : imageAttention({ ...evaluation, images, text, layer: Number(number), pad: evaluation.setup.inputs.special_ids.pad })
    from += text.count
    maps.push(...computed['pred']!)
    for (const name of names.filter((one) => one.startsWith(`${block}/${batch}/`) && !/\/(input_ids|attention_mask)$/.test(one))) {
      const got = computed[name.split('/')[2]!]
      checks.push(got ? compareNumbers(name, got, floatsOf(file, name), TOLERANCES.evaluation) : failed(name, 'nothing here computes it'))
    }
  }
  if (file.tensors.has(`${block}/pred`)) checks.push(compareNumbers(`${block}/pred`, maps, floatsOf(file, `${block}/pred`), TOLERANCES.evaluation))
  return checks
}

const byNumber = (a: string, b: string): number => Number(/\d+$/.exec(a)![0]) - Number(/\d+$/.exec(b)![0])

function textOf(file: TensorFile, prefix: string): TokenBatch {
  const [count, length] = tensorOf(file, `${prefix}/input_ids`).shape as [number, number]
  return { ids: intsOf(file, `${prefix}/input_ids`), mask: intsOf(file, `${prefix}/attention_mask`), count, length }
}

/** Phrases one at a time with the configured layer: no padding, so the maps are larger by padded / own length. */
function singleChecks(evaluation: Evaluation): Check[] {
  const { file, json, setup } = evaluation
  const maps = singleMaps(evaluation)
  const checks = [compareNumbers('itm_single/pred', maps.flat(), floatsOf(file, 'itm_single/pred'), TOLERANCES.evaluation)]
  const batched = `itm_block${setup.config.gradcam_layer}/pred`
  if (json.single_over_batched_ratio && file.tensors.has(batched)) {
    const [want, cells] = [floatsOf(file, batched), json.grid ** 2]
    const sum = (values: ArrayLike<number> & Iterable<number>): number => Array.from(values).reduce((total, value) => total + value, 0)
    const ratios = maps.map((map, n) => sum(map) / sum(want.subarray(n * cells, (n + 1) * cells)))
    checks.push(compareNumbers('single over batched', ratios, json.single_over_batched_ratio, TOLERANCES.evaluation))
  }
  return checks
}

function wordChecks(setup: GoldenSetup): Check[] {
  const { folder } = setup
  const json = folder.json<EvalJson>(LIST)
  const { max_words: words } = folder.json<{ max_words: number }>('config.json')
  const tokenizer = modelTokenizer(setup)
  const lengths = json.pre_captions.map((phrase) => tokenizer.encode(phrase).ids.length)
  const checks = [
    compareExactly('cleaned phrases', json.phrases.map((phrase) => preCaption(phrase, words)), json.pre_captions),
    compareExactly('token lengths', lengths, json.token_lengths.flat()),
    compareExactly('batches', json.token_lengths.map((batch) => batch.length), batchSizes(lengths.length, json.batch_size)),
  ]
  let from = 0
  json.token_lengths.forEach(({ length: count }, i) => {
    const batch = tokenizer.encodeBatch(json.pre_captions.slice(from, from + count))
    from += count
    for (const name of folder.tensors(TENSORS).tensors.keys()) {
      if (name.endsWith(`/batch${i}/input_ids`)) checks.push(compareExactly(name, Array.from(batch.ids), Array.from(intsOf(folder.tensors(TENSORS), name))))
      if (name.endsWith(`/batch${i}/attention_mask`)) checks.push(compareExactly(name, Array.from(batch.mask), Array.from(intsOf(folder.tensors(TENSORS), name))))
    }
  })
  return checks
}

const batchSizes = (count: number, size: number): number[] => Array.from({ length: Math.ceil(count / size) }, (_, i) => Math.min(size, count - i * size))
