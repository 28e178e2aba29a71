/**
 * Makes the demo dataset: 96 x 96 px scenes of emoji with phrases, exact boxes and a few boxes wrong on purpose.
 *
 * dir/annotations.json   one line a region: {image, caption, bbox: [[x1, y1, x2, y2]], split: 'train' | 'val',
 *                        kind: 'scene' | 'close-up', phraseConcepts, imageConcepts} (see concepts.ts)
 * dir/images/*.png       as annotations.json names them
 * dir/planted-errors.json  the only place that tells which boxes are wrong
 * dir/demo.json          what it was made from, so that a second call can tell it is there
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { AppError } from '../../shared/errors.ts'
import type { Box } from '../../shared/geometry.ts'
import { artworkVersions, loadArtwork, type Artwork } from './art.ts'
import { imageConceptsOf, phraseConceptsOf } from './concepts.ts'
import { ANNOTATIONS_FILE, imagePathIn, NOTICE_FILE, PLANTED_ERRORS_FILE, readComplete, replaceFolder, sha256, type DemoCounts, type DemoManifest } from './demo-folder.ts'
import { DEMO_NOTICE } from './notice.ts'
import { paintBackground, paintObjects, toBytes } from './paint.ts'
import { IMAGE_SIDE_PX, phraseText } from './phrases.ts'
import { plantErrors, PLANTED_ERRORS_ABOUT, type Candidate, type PlantedErrorsFile } from './planted-errors.ts'
import { randomOf } from './random.ts'
import { planCloseUp, planScene, type Scene } from './scenes.ts'

/** Counts up when the same options would give other pictures or phrases. */
const RECIPE_VERSION = 1
const ENCODINGS_AT_ONCE = 6
/** Fixed, so that results on held-out scenes stay comparable whatever a model was trained on. */
const HELD_OUT_DUPLICATE_SHARE = 0.2

export interface DemoOptions {
  readonly dir: string
  readonly seed: number
  /** Training scenes of 2 to 4 objects. */
  readonly train?: number
  /** Training images of one object. */
  readonly closeUps?: number
  /** Scenes kept out of training, split 'val'. */
  readonly heldOut?: number
  /** Share of training scenes with two objects of one category; the held-out scenes always have 20 %. */
  readonly duplicateShare?: number
  /** Share of the regions of training scenes whose box is wrong. */
  readonly wrongShare?: number
  readonly onProgress?: (progress: DemoProgress) => void
  readonly signal?: AbortSignal
}
export interface DemoProgress {
  readonly done: number
  readonly total: number
}
export interface DemoResult extends DemoCounts {
  /** The folder was complete already; nothing was written. */
  readonly skipped: boolean
}

export interface DemoRegion {
  readonly image: string
  readonly caption: string
  readonly bbox: readonly Box[]
  readonly split: 'train' | 'val'
  readonly kind: 'scene' | 'close-up'
  readonly phraseConcepts: readonly string[]
  readonly imageConcepts: readonly string[]
}

interface ImagePlan {
  readonly image: string
  readonly stream: string
  readonly index: number
  readonly split: DemoRegion['split']
  readonly kind: DemoRegion['kind']
}

/**
 * Writes the dataset into dir, whole or not at all; the same options give the same bytes. Skips when it is there already.
 * Errors: 'usage' for counts that make no sense, 'conflict' when dir holds something else, 'cancelled', 'runtime-missing'.
 */
export async function generateDemo(options: DemoOptions): Promise<DemoResult> {
  const recipe = await recipeOf(options)
  const present = await readComplete(options.dir, recipe)
  if (present) return { ...present, skipped: true }
  const counts = await replaceFolder(options.dir, (temporary) => fill(temporary, recipe, options))
  return { ...counts, skipped: false }
}

/** Eight hexadecimal digits: equal for options that give the same dataset. Errors: as generateDemo for options that make no sense. */
export async function demoRecipeKey(options: DemoOptions): Promise<string> {
  return sha256(JSON.stringify(await recipeOf(options))).slice(0, 8)
}

type Recipe = Awaited<ReturnType<typeof recipeOf>>

async function recipeOf(options: DemoOptions) {
  const { seed, train = 3500, closeUps = 1500, heldOut = 500, duplicateShare = 0.2, wrongShare = 0.05 } = options
  for (const [name, value] of Object.entries({ train, closeUps, heldOut })) {
    if (!Number.isInteger(value) || value < 0) throw new AppError('usage', `The number of ${name} images must be a whole number of at least 0, not ${value}.`)
  }
  for (const [name, value] of Object.entries({ duplicateShare, wrongShare })) {
    if (!(value >= 0 && value <= 1)) throw new AppError('usage', `${name} must lie between 0 and 1, not ${value}.`)
  }
  if (!Number.isInteger(seed)) throw new AppError('usage', `The seed must be a whole number, not ${seed}.`)
  return { version: RECIPE_VERSION, seed, train, closeUps, heldOut, duplicateShare, wrongShare, sidePx: IMAGE_SIDE_PX, artwork: await artworkVersions() }
}

async function fill(dir: string, recipe: Recipe, options: DemoOptions): Promise<DemoManifest> {
  const art = await loadArtwork(options.signal)
  const plans = imagePlans(recipe)
  const regions: DemoRegion[] = []
  const candidates: Candidate[] = []
  const encoding = new Set<Promise<void>>()
  let done = 0
  for (const plan of plans) {
    if (options.signal?.aborted) break
    const scene = sceneOf(plan, art, recipe)
    collect(plan, scene, regions, candidates)
    const job = encode(imagePathIn(dir, plan.image), paint(plan, scene, recipe.seed)).then(() => {
      encoding.delete(job)
      done += 1
      if (done % 50 === 0 || done === plans.length) options.onProgress?.({ done, total: plans.length })
    })
    encoding.add(job)
    if (encoding.size >= ENCODINGS_AT_ONCE) await Promise.race(encoding)
  }
  await Promise.all(encoding)
  if (options.signal?.aborted) throw new AppError('cancelled', 'Making the demo was stopped.', 'Start it again at any time; nothing was left half written.')
  return await writeAnnotations(dir, recipe, regions, candidates, plans.length)
}

function imagePlans(recipe: Recipe): readonly ImagePlan[] {
  const plansOf = (name: string, count: number, split: ImagePlan['split'], kind: ImagePlan['kind']): ImagePlan[] =>
    Array.from({ length: count }, (_, index) => ({ image: `images/${name}-${String(index + 1).padStart(5, '0')}.png`, stream: name, index, split, kind }))
  return [
    ...plansOf('scene', recipe.train, 'train', 'scene'),
    ...plansOf('close-up', recipe.closeUps, 'train', 'close-up'),
    ...plansOf('held-out', recipe.heldOut, 'val', 'scene'),
  ]
}

function sceneOf(plan: ImagePlan, art: Artwork, recipe: Recipe): Scene {
  const random = randomOf(recipe.seed, plan.stream, plan.index)
  if (plan.kind === 'close-up') return planCloseUp(random, art)
  return planScene(random, art, { duplicateShare: plan.split === 'val' ? HELD_OUT_DUPLICATE_SHARE : recipe.duplicateShare })
}

function paint(plan: ImagePlan, scene: Scene, seed: number): Uint8Array {
  const pixels = paintBackground(randomOf(seed, `${plan.stream} background`, plan.index))
  paintObjects(pixels, scene.objects)
  return toBytes(pixels)
}

async function encode(path: string, bytes: Uint8Array): Promise<void> {
  const raw = { width: IMAGE_SIDE_PX, height: IMAGE_SIDE_PX, channels: 3 } as const
  await sharp(bytes, { raw }).png({ compressionLevel: 6, adaptiveFiltering: true }).toFile(path)
}

function collect(plan: ImagePlan, scene: Scene, regions: DemoRegion[], candidates: Candidate[]): void {
  const { image, split, kind } = plan
  const imageConcepts = imageConceptsOf(scene.objects)
  for (const [i, object] of scene.objects.entries()) {
    const phrase = scene.phrases[i]!
    const caption = phraseText(phrase)
    if (split === 'train' && kind === 'scene') candidates.push({ index: regions.length, image, caption, category: object.category, box: object.box })
    regions.push({ image, caption, bbox: [object.box], split, kind, phraseConcepts: phraseConceptsOf(phrase), imageConcepts })
  }
}

async function writeAnnotations(
  dir: string,
  recipe: Recipe,
  regions: readonly DemoRegion[],
  candidates: readonly Candidate[],
  images: number,
): Promise<DemoManifest> {
  const errors = plantErrors(randomOf(recipe.seed, 'planted errors'), candidates, recipe.wrongShare)
  const wrongBoxes = new Map(errors.map((error) => [error.index, error.wrongBox]))
  const annotated = regions.map((region, i) => ({ ...region, bbox: [wrongBoxes.get(i) ?? region.bbox[0]!] }))
  const planted: PlantedErrorsFile = { about: PLANTED_ERRORS_ABOUT, seed: recipe.seed, candidates: candidates.length, errors }
  const files = {
    [ANNOTATIONS_FILE]: `[\n${annotated.map((region) => JSON.stringify(region)).join(',\n')}\n]\n`,
    [PLANTED_ERRORS_FILE]: JSON.stringify(planted, null, 1) + '\n',
    [NOTICE_FILE]: DEMO_NOTICE,
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text)
  const hashes = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, sha256(text)]))
  return { recipe, counts: { images, regions: regions.length, planted: errors.length }, sha256: hashes }
}
