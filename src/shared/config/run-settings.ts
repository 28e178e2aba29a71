/**
 * The table of a training run's settings: from it come the file format, the flat names of overrides, the form of the Train screen
 * and every message about a wrong value (run-config.ts). The engine says them in English; the page in its own language.
 */
import { z } from 'zod'
import { t } from '../messages/messages.ts'

export interface SettingMeta {
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
/** A text of words with commas between them; a YAML file may also give a list. */
function words(label: string, help: string, initial: string, advanced: boolean) {
  const given = z.union([z.string(), z.array(z.string())])
  return given.transform((value) => (typeof value === 'string' ? value : value.join(', '))).prefault(initial).meta({ label, help, kind: 'text', advanced } satisfies SettingMeta)
}
const SHARE = { min: 0, max: 1 }

export const runConfigSchema = z.strictObject({
  title: text('Title', 'What this preset is called on the Train screen.', 'Untitled preset', ADVANCED),
  summary: text('Summary', 'One sentence about when to use it.', '', ADVANCED),
  model: text(t('Model'), t('Name of the model sizes in configs/model, without ".yaml". A start checkpoint brings its own.'), 'demo', ADVANCED),
  steps: integer(t('Steps'), t('Optimizer steps of the whole run. 0 counts epochs instead.'), 1000, BASIC),
  epochs: number(t('Epochs'), t('Passes over the training images, used when steps is 0.'), 30, BASIC),
  seed: integer(t('Seed'), t('Decides the initial weights, the order of samples and every random choice: the same seed repeats the run.'), 0, BASIC, { max: 2 ** 31 - 1 }),
  batch: z
    .strictObject({
      images: integer(t('Images a step'), t('How many images one step sees. More is steadier and needs more memory.'), 32, BASIC, { min: 1, max: 4096 }),
      phrases: integer(t('Phrases an image'), t('How many regions of each image one step uses, at most; an image with fewer than the others repeats some.'), 1, ADVANCED, { min: 1, max: 32 }),
      accumulate: integer(
        t('Batches a step'),
        t('Adds up the gradients of this many batches before the weights change, for more images a step than memory holds. Not the same as one large batch: ITC, hard negatives and the mean margin of AMC compare within each batch alone.'),
        1,
        ADVANCED,
        { min: 1, max: 4096 },
      ),
    })
    .prefault({}),
  freeze: words(
    t('Frozen parts'),
    t('What stays as it is: image, text, embeddings, fusion, heads, temperature, or names of parameters with * for anything; commas between them. Frozen layers below all that learns also need less memory.'),
    '',
    ADVANCED,
  ),
  adapt: z
    .strictObject({
      queue: integer(t('Queue'), t('Features of earlier batches kept for ITC. -1: as many as the model says; fewer than a checkpoint has take its first ones. 0: none.'), -1, ADVANCED, { min: -1, max: 2 ** 24 }),
      momentum: choice(
        t('Momentum copy'),
        t('model: as the model says. off: train without the copy, its queues and its soft targets even from a checkpoint that has them; saves memory. on: start one.'),
        ['model', 'off', 'on'],
        'model',
        ADVANCED,
      ),
      gradcamLayer: integer(t('Heatmap layer'), t('BERT layer, counted from 0, whose cross-attention AMC pulls into the regions and heatmaps show. -1: as the model says.'), -1, ADVANCED, { min: -1, max: 1000 }),
      imageSize: integer(t('Image size'), t('Side of the images in pixels, if other than the model says (0); positions are interpolated.'), 0, ADVANCED, { max: 4096 }),
    })
    .prefault({}),
  memory: z
    .strictObject({
      recompute: yesNo(t('Recompute activations'), t('Keep only what enters each layer and compute the rest again when gradients need it: far less memory, the same gradients, about a quarter more time.'), false, ADVANCED),
      check: yesNo(t('Refuse what does not fit'), t('Do not start a run that is predicted to need more memory than is free.'), true, ADVANCED),
    })
    .prefault({}),
  init: z
    .strictObject({
      text: text(t('Text encoder from'), t('Folder (or file) of a Hugging Face BERT whose weights start the text encoder: config.json with model.safetensors or pytorch_model.bin. Empty: none.'), '', ADVANCED),
      image: text(t('Image encoder from'), t('Folder (or file) of a ViT or DeiT whose weights start the image encoder. Empty: none.'), '', ADVANCED),
      acceptMissing: yesNo(t('Accept missing weights'), t('Start parameters anew that the start checkpoint lacks, instead of refusing it.'), false, ADVANCED),
      acceptNotFinite: yesNo(t('Accept infinite weights'), t('Train from a checkpoint that holds NaN or infinite weights, instead of refusing it.'), false, ADVANCED),
    })
    .prefault({}),
  loss: z
    .strictObject({
      amc: number(t('Weight of AMC'), t('How strongly heatmaps are pulled into their regions. 0 trains without AMC.'), 1, BASIC),
      itm: yesNo(t('Image-text matching'), t('Learn whether a phrase belongs to an image (ITM). AMC needs it: heatmaps explain its answer.'), true, ADVANCED),
      mlm: yesNo(t('Masked words'), t('Learn to guess masked words from the image and the rest of the phrase (MLM).'), true, ADVANCED),
      amcMean: number(t('AMC, mean part'), t('Weight of the margin between mean heat inside and outside.'), 0.2, ADVANCED),
      amcMax: number(t('AMC, maximum part'), t('Weight of the margin between the hottest points inside and outside.'), 0.8, ADVANCED),
      meanMargin: number(t('Margin of means'), t('Mean heat inside must exceed the mean outside by this much.'), 0.1, ADVANCED, SHARE),
      maxMargin: number(t('Margin of maxima'), t('The hottest point inside must exceed the hottest outside by this much.'), 0.5, ADVANCED, SHARE),
      distillation: number(t('Distillation'), t('Share of the soft targets of the momentum model, ramped up over the first epoch. Needs a model with momentum.'), 0.4, ADVANCED, SHARE),
      mlmDistillAxis: choice(
        t('Axis of MLM distillation'),
        t('vocabulary is right; sequence repeats a slip of the published code, to compare with it.'),
        ['vocabulary', 'sequence'],
        'vocabulary',
        ADVANCED,
      ),
    })
    .prefault({}),
  optimizer: z
    .strictObject({
      learningRate: number(t('Learning rate'), t('The highest learning rate, reached after the warm-up.'), 1e-5, BASIC),
      weightDecay: number(t('Weight decay'), t('AdamW weight decay; biases and one-dimensional parameters are spared.'), 0.02, ADVANCED),
      beta1: number(t('Beta 1'), t('AdamW memory of the gradient.'), 0.9, ADVANCED, { max: 0.9999 }),
      beta2: number(t('Beta 2'), t('AdamW memory of the squared gradient.'), 0.999, ADVANCED, { max: 0.99999 }),
      epsilon: number(t('Epsilon'), t('AdamW term that keeps divisions finite.'), 1e-8, ADVANCED),
      clipNorm: number(t('Gradient limit'), t('Gradients of a larger total norm are scaled down to it. 0 switches this off.'), 0, ADVANCED),
    })
    .prefault({}),
  schedule: z
    .strictObject({
      kind: choice(
        t('Schedule'),
        t('steps: linear warm-up, then one cosine over the run. reference: the published code, by epochs, its cut warm-up included.'),
        ['steps', 'reference'],
        'steps',
        ADVANCED,
      ),
      warmupSteps: integer(t('Warm-up steps'), t('Steps over which the learning rate rises (schedule steps).'), 50, ADVANCED),
      finalShare: number(t('Final share'), t('Share of the learning rate left at the end (schedule steps).'), 0.05, ADVANCED, SHARE),
      minLearningRate: number(t('Lowest rate'), t('Learning rate at the end of the cosine (schedule reference).'), 1e-6, ADVANCED),
      warmupLearningRate: number(t('First rate'), t('Learning rate of the first steps (schedule reference).'), 1e-6, ADVANCED),
      warmupHundreds: integer(t('Warm-up in hundreds'), t('Length of the warm-up in hundreds of steps (schedule reference).'), 20, ADVANCED),
      periodEpochs: integer(t('Period'), t('Epochs of one half cosine (schedule reference).'), 30, ADVANCED, { min: 1 }),
    })
    .prefault({}),
  curriculum: z
    .strictObject({
      contrastOnly: number(t('ITC only, until'), t('Share of the run in which only ITC is on, over close-ups.'), 0, ADVANCED, SHARE),
      closeUps: number(t('Close-ups, until'), t('Share of the run in which only images of kind "close-up" are seen, where the dataset has them.'), 0, ADVANCED, SHARE),
      uniformNegatives: number(t('Uniform negatives, until'), t('Share of the run in which ITM negatives are drawn uniformly.'), 0, ADVANCED, SHARE),
      hardNegatives: number(t('Hard negatives'), t('Share of ITM negatives drawn by similarity after that; 1 is the published way.'), 1, ADVANCED, SHARE),
      views: text(t('Views in turn'), t('Views of the dataset seen one after the other, each with its part of the run, for example "Easy ones 0.3; * 0.7". * is everything. Empty: everything all along.'), '', ADVANCED),
    })
    .prefault({}),
  data: z
    .strictObject({
      epoch: choice(
        t('An epoch counts'),
        t('images: every image once, with as many of its phrases as batch.phrases says. regions: every phrase once, each with its image, as the published code does with one phrase a record.'),
        ['images', 'regions'],
        'images',
        ADVANCED,
      ),
      flip: number(t('Flip'), t('Chance that an image and its boxes are mirrored.'), 0.5, ADVANCED, SHARE),
      swapLeftRight: yesNo(t('Swap left and right'), t('Exchange the words left and right in the phrases of a mirrored image.'), true, ADVANCED),
      grayscale: number(t('Grayscale'), t('Chance that an image loses its colours.'), 0.2, ADVANCED, SHARE),
      colorJitter: number(t('Colour jitter'), t('Chance that brightness, contrast, saturation and hue are changed.'), 0.5, ADVANCED, SHARE),
      resize: choice(
        t('Resize'),
        t('How training images reach the size of the model: linear (as the published training code, without smoothing) or bicubic (smoothed, as evaluation).'),
        ['linear', 'bicubic'],
        'linear',
        ADVANCED,
      ),
      boxes: choice(t('Boxes of a phrase'), t('one draws a box at random each time, as published; all uses their union.'), ['one', 'all'], 'all', ADVANCED),
      regions: choice(
        t('Shape of a region'),
        t('mask fills the outline of a region where it has one; box fills its box, as published. Scores and validation always look at the outline.'),
        ['mask', 'box'],
        'mask',
        ADVANCED,
      ),
      includeRejected: yesNo(
        t('Include rejected regions'),
        t('Train and validate on rejected regions too. Off: they are left out, except in a view that asks for them by their status.'),
        false,
        ADVANCED,
      ),
      trueNegatives: yesNo(
        t('True negatives only'),
        t('A phrase is never a negative for an image of which it is known to be true (same phrase, or same category and colour where the dataset tells).'),
        true,
        ADVANCED,
      ),
    })
    .prefault({}),
  validation: z
    .strictObject({
      every: integer(t('Validate every'), t('Steps between validations. 0 validates at the end only.'), 100, BASIC),
      images: integer(t('Validation images'), t('How many images of the val split are scored each time, drawn once by the seed. 0 takes all.'), 100, ADVANCED),
      probes: integer(t('Probe samples'), t('How many validation regions keep their heatmaps for the film strip.'), 8, ADVANCED, { max: 64 }),
    })
    .prefault({}),
  earlyStop: z
    .strictObject({
      metric: choice(t('End early by'), t('What must go on rising at validations: pointing game, consistency or ITM accuracy on the val split. The best checkpoint is then the one with the highest value of it. off: all steps are made, and the pointing game names the best.'), ['off', 'pointingGame', 'consistency', 'itmAccuracy'], 'off', ADVANCED),
      patience: integer(t('Patience'), t('Validations in a row without a new best after which the run ends.'), 5, ADVANCED, { min: 1 }),
      minDelta: number(t('Least gain'), t('A value counts as a new best when it is higher by more than this.'), 0, ADVANCED),
    })
    .prefault({}),
  save: z
    .strictObject({
      every: integer(t('Save every'), t('Steps between saved states. A killed run loses at most this much.'), 100, ADVANCED, { min: 1 }),
      keep: integer(t('Checkpoints kept'), t('The newest ones; the best and the last are always kept.'), 3, ADVANCED, { min: 1 }),
      precision: choice(t('Precision of checkpoints'), t('fp16 halves the files; states for resuming are always fp32.'), ['fp32', 'fp16'], 'fp32', ADVANCED),
    })
    .prefault({}),
})
