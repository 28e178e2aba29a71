/** For tests: small drawn images, a tiny model's sizes, and the folder of a run over them. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { onTestFinished } from 'vitest'
import { parseModelConfig, type ModelConfig } from '../../src/shared/config/model-config.ts'
import { parseRunConfig, withOverrides } from '../../src/shared/config/run-config.ts'
import type { ManifestSample } from '../../src/shared/manifest.ts'
import { freezeRun } from '../../src/main/train/run-folder.ts'

/** Removed when the test has finished. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'amc-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const WORDS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'the', 'red', 'green', 'blue', 'square', 'left', 'right']

export const TINY: ModelConfig = parseModelConfig(
  {
    name: 'tiny',
    image: { size: 24, patch: 12, width: 16, depth: 1, heads: 2, stem: 'conv' },
    text: { vocabulary: WORDS, vocab_size: WORDS.length, width: 16, layers: 2, fusion_layer: 1, heads: 2, intermediate: 32, max_positions: 8 },
    embed_dim: 8, gradcam_layer: 1, mask_size: 24, max_tokens: 8, mlm_probability: 0.3, init: 'small',
  },
  'tiny',
)

/** The same with momentum copies and queues, as the published models have. */
export const TINY_MOMENTUM: ModelConfig = parseModelConfig({ ...TINY, name: 'tiny-momentum', momentum: 0.9, queue_size: 16 }, 'tiny-momentum')

const COLOURS = [['red', 220, 30, 30], ['green', 30, 180, 40], ['blue', 40, 60, 220]] as const

/** Images of two coloured squares side by side, one phrase each; every fourth image is for validation. */
export async function drawSamples(folder: string, count: number): Promise<ManifestSample[]> {
  await mkdir(folder, { recursive: true })
  const samples: ManifestSample[] = []
  for (let i = 0; i < count; i++) {
    const path = join(folder, `${i}.png`)
    const [left, right] = [COLOURS[i % 3]!, COLOURS[(i + 1 + (i % 2)) % 3]!]
    const pixels = Buffer.alloc(24 * 24 * 3, 200 - i)
    for (let y = 6; y < 18; y++) for (let x = 0; x < 24; x++) pixels.set((x < 12 ? left : right).slice(1) as unknown as number[], (y * 24 + x) * 3)
    await sharp(pixels, { raw: { width: 24, height: 24, channels: 3 } }).png().toFile(path)
    for (const [n, [colour]] of [left, right].entries()) {
      samples.push({
        regionId: `r${i}-${n}`, revision: 1, imageId: `i${i}`, imagePath: path, width: 24, height: 24,
        phrase: `the ${colour} square`, boxes: [n === 0 ? [0, 6, 12, 18] : [12, 6, 24, 18]], split: i % 4 === 3 ? 'val' : 'train',
        imageConcepts: [left[0], right[0]], phraseConcepts: [colour],
      })
    }
  }
  return samples
}

export interface TinyRun {
  readonly dir: string
  readonly images: string
  readonly overrides?: Readonly<Record<string, unknown>>
  readonly modelConfig?: ModelConfig
  readonly samples?: readonly ManifestSample[]
  readonly startCheckpoint?: string
}

export async function freezeTinyRun({ dir, images, overrides, modelConfig = TINY, samples, startCheckpoint }: TinyRun): Promise<void> {
  const config = withOverrides(parseRunConfig({}), {
    steps: 6, 'batch.images': 4, 'batch.phrases': 2, 'optimizer.learningRate': 0.003, 'schedule.warmupSteps': 2, 'validation.every': 3, 'validation.probes': 2,
    'save.every': 2, 'curriculum.contrastOnly': 0.2, 'curriculum.uniformNegatives': 0.5, 'curriculum.hardNegatives': 0.5, ...overrides,
  })
  await freezeRun({ dir, config, modelConfig, samples: samples ?? (await drawSamples(images, 12)), ...(startCheckpoint ? { startCheckpoint } : {}) })
}
