/** The batch itself, made anew from the training records and their images: pixels, masks, words. */
import { decodeRgb } from '../images/decode.ts'
import { preCaption } from '../model/pre-caption.ts'
import { TRAINING_LEVELS, writeRegionMask } from '../train/pixels.ts'
import { resizeLinear } from '../train/resize.ts'
import type { Box } from '../../shared/geometry.ts'
import { boxesOnly } from '../../shared/shape.ts'
import { planes } from './cases-preparation.ts'
import { compareExactly, compareNumbers, failed, passed, TOLERANCES, type Check } from './compare.ts'
import { floatsOf, intsOf } from './folder.ts'
import { modelTokenizer, type GoldenCase, type GoldenSetup, type InputsJson } from './setup.ts'

interface TrainRecord {
  readonly image: string
  readonly caption: string | readonly string[]
  readonly bbox: readonly Box[]
}

export function inputCases(setup: GoldenSetup): GoldenCase[] {
  const { folder } = setup
  const cases: GoldenCase[] = []
  if (folder.has('train.json')) cases.push({ name: 'batch from train.json', run: () => batchCase(setup) })
  if (setup.inputs.captions) cases.push({ name: 'batch words', run: async () => wordsCase(setup) })
  return cases
}

async function batchCase({ folder, config }: GoldenSetup): Promise<Check[]> {
  const records = folder.json<readonly TrainRecord[]>('train.json')
  const { mask_all: all } = folder.json<{ mask_all?: boolean }>('config.json')
  const file = folder.tensors('inputs.safetensors')
  const { size } = config.image
  const [pixels, masks] = [floatsOf(file, 'image'), floatsOf(file, 'gt_mask')]
  const area = config.mask_size ** 2
  const checks: Check[] = []
  for (const [n, { image, bbox }] of records.entries()) {
    const rgb = await decodeRgb(folder.path(image))
    const got = planes(resizeLinear(rgb, size, size).data, size, TRAINING_LEVELS)
    checks.push(compareNumbers(`${image}: pixels`, got, pixels.subarray(n * got.length, (n + 1) * got.length), TOLERANCES.exact))
    const want = masks.subarray(n * area, (n + 1) * area)
    // Of several boxes the loader draws one at random.
    const choices = all || bbox.length === 0 ? [bbox] : bbox.map((box) => [box])
    const tried = choices.map((boxes) => {
      const mask = new Float32Array(area)
      writeRegionMask(boxesOnly(boxes), rgb, size, config.mask_size, false, mask, 0)
      return compareNumbers(`${image}: mask`, mask, want, TOLERANCES.masks)
    })
    checks.push(tried.find(({ ok }) => ok) ?? tried[0]!)
  }
  const { captions = [] } = folder.json<InputsJson>('inputs.json')
  // Of several captions the loader draws one at random.
  records.forEach(({ image, caption }, n) => checks.push([caption].flat().includes(captions[n]!) ? passed(`${image}: caption`) : failed(`${image}: caption`, `${JSON.stringify(captions[n])} is not one of it`)))
  const has = intsOf(file, 'gt_mask_indicator')
  checks.push(compareExactly('which have a region', Array.from(has), records.map(({ bbox }) => (bbox.length > 0 ? 1 : 0))))
  return checks
}

function wordsCase(setup: GoldenSetup): Check[] {
  const { folder, inputs, config } = setup
  const { captions = [], pre_captions: cleaned = [], special_ids: special } = inputs
  const { max_words: words } = folder.json<{ max_words: number }>('config.json')
  const tokenizer = modelTokenizer(setup)
  const file = folder.tensors('inputs.safetensors')
  const got = captions.map((caption) => preCaption(caption, words))
  const tokens = tokenizer.encodeBatch(got, config.max_tokens)
  return [
    compareExactly('cleaned captions', got, cleaned),
    compareExactly('ids', Array.from(tokens.ids), Array.from(intsOf(file, 'input_ids'))),
    compareExactly('attention mask', Array.from(tokens.mask), Array.from(intsOf(file, 'attention_mask'))),
    ...(['pad', 'unk', 'cls', 'sep', 'mask'] as const).map((name) => compareExactly(`id of ${name}`, tokenizer.special[name], special[name])),
  ]
}
