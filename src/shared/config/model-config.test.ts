import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { gridSide, parseModelConfig } from './model-config.ts'

const folder = join(import.meta.dirname, '../../../configs/model')
const good = {
  name: 'small',
  image: { size: 32, patch: 8, width: 16, depth: 1, heads: 2 },
  text: { vocab_size: 10, width: 12, layers: 3, fusion_layer: 1, heads: 3, intermediate: 24, max_positions: 8 },
  embed_dim: 4,
  gradcam_layer: 1,
  mask_size: 32,
  max_tokens: 8,
}
const changed = (path: string, value: unknown): unknown => {
  const copy = structuredClone(good) as Record<string, unknown>
  const keys = path.split('.')
  const holder = keys.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, copy)
  holder[keys.at(-1)!] = value
  return copy
}

test.each(readdirSync(folder))('the shipped configuration %s is a good one', (file) => {
  const config = parseModelConfig(parse(readFileSync(join(folder, file), 'utf8')), file)
  expect(config.name).toBe(file.replace('.yaml', ''))
  expect(Number.isInteger(gridSide(config))).toBe(true)
})

test('what is left out gets the plain choice', () => {
  expect(parseModelConfig(good, 'x')).toMatchObject({ queue_size: 0, momentum: null, init: 'bert', image: { mlp_ratio: 4, stem: 'patch' } })
})

test.each([
  ['image.dept', 2, "the key 'image.dept' does not exist (did you mean 'image.depth'?)"],
  ['embed_dims', 2, "the key 'embed_dims' does not exist (did you mean 'embed_dim'?)"],
  ['image.patch', 7, 'image.size 32 cannot be divided by image.patch 7'],
  ['image.heads', 5, 'image.width 16 cannot be divided by image.heads 5'],
  ['text.heads', 5, 'text.width 12 cannot be divided by text.heads 5'],
  ['text.fusion_layer', 3, 'text.fusion_layer 3 leaves no fusion layer among text.layers 3'],
  ['gradcam_layer', 0, 'gradcam_layer 0 is not one of the fusion layers 1 to 2'],
  ['max_tokens', 9, 'max_tokens 9 is more than text.max_positions 8'],
  ['text.vocabulary', ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'], 'text.vocabulary has 5 words, but text.vocab_size is 10'],
  ['queue_size', 4, 'queue_size 4 needs a momentum copy, but momentum is null'],
  ['image.stem', 'conv', 'the conv stem makes cells of 12 px, but image.patch is 8'],
  ['image.width', -3, "'image.width'"],
])('%s = %j is refused in words', (path, value, words) => {
  expect(() => parseModelConfig(changed(path, value), 'model.yaml')).toThrow(words)
})
