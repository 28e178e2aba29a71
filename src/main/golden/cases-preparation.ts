/** Images and masks as the published pipelines prepare them: decoding, resizing, normalising, colour, region masks. */
import { decodeRgb, type RgbImage } from '../images/decode.ts'
import { toFloat32, type TensorFile } from '../checkpoints/tensor-file.ts'
import { preCaption } from '../model/pre-caption.ts'
import { jitterColors, toGray } from '../train/augment.ts'
import { EVALUATION_LEVELS, TRAINING_LEVELS, writePlanes, writeRegionMask, type LevelTable } from '../train/pixels.ts'
import { resizeBicubic, resizeLinear } from '../train/resize.ts'
import type { Box } from '../../shared/geometry.ts'
import { boxesOnly } from '../../shared/shape.ts'
import { compareExactly, compareNumbers, failed, passed, TOLERANCES, type Check } from './compare.ts'
import { tensorOf, type GoldenFolder } from './folder.ts'
import type { GoldenCase } from './setup.ts'

const TENSORS = 'prep/prep.safetensors'
const LIST = 'prep/prep.json'
const ANNOTATIONS = 'prep/ann.json'

interface PrepJson {
  readonly images: readonly { readonly file: string; readonly w: number; readonly h: number; readonly mode?: string }[]
  readonly colorjitter?: readonly JitterJson[]
  readonly mask_all_boxes?: readonly Box[]
  readonly mask_cases?: readonly MaskJson[]
}

interface JitterJson {
  readonly brightness: number
  readonly contrast: number
  /** Factors as drawn, and what the published code makes of them. */
  readonly saturation?: number
  readonly hue?: number
  readonly sat_shift: number
  readonly hue_shift: number
}

interface MaskJson {
  readonly i: number
  readonly box: Box
  readonly caption: string
  readonly indicator: readonly number[]
  readonly R?: number
  readonly mask_size?: number
  readonly mask_sum?: number
  readonly mask_dtype?: string
}

interface AnnotationJson {
  readonly image: string
  readonly caption: string | readonly string[]
  readonly bbox: readonly Box[]
}

interface Prep {
  readonly folder: GoldenFolder
  readonly json: PrepJson
  readonly file: TensorFile
}

export function preparationCases(folder: GoldenFolder): GoldenCase[] {
  if (!folder.has(TENSORS) || !folder.has(LIST)) return []
  const prep: Prep = { folder, json: folder.json<PrepJson>(LIST), file: folder.tensors(TENSORS) }
  folder.leaveOut(LIST, 'versions', 'the libraries that recorded it')
  const names = [...prep.file.tensors.keys()]
  const isImage = (name: string): boolean => /^\d+\//.test(name)
  const isMask = (name: string): boolean => name.startsWith('mask/')
  const cases: GoldenCase[] = [
    { name: 'image preparation', run: () => each(names.filter(isImage), (name) => imageCheck(prep, name)) },
    { name: 'colours', run: () => each(names.filter((name) => !isImage(name) && !isMask(name)), async (name) => colourCheck(prep, name)) },
  ]
  if (folder.has(ANNOTATIONS)) {
    cases.push({
      name: 'region masks',
      run: async () => [...(await each(names.filter(isMask), async (name) => maskCheck(prep, name))), ...annotationChecks(prep)],
    })
  }
  return cases
}

async function each(names: readonly string[], check: (name: string) => Promise<Check>): Promise<Check[]> {
  const checks: Check[] = []
  for (const name of names) checks.push(await check(name))
  return checks
}

const sideOf = (prep: Prep, name: string): number => tensorOf(prep.file, name).shape.at(-2)!
const recorded = (prep: Prep, name: string): Float32Array => toFloat32(tensorOf(prep.file, name))
const bytes = (prep: Prep, name: string): Uint8Array => Uint8Array.from(recorded(prep, name))

function rgbOf(prep: Prep, index: string): RgbImage {
  const [height, width] = tensorOf(prep.file, `${index}/rgb`).shape as [number, number]
  return { data: bytes(prep, `${index}/rgb`), width, height }
}

/** INDEX/rgb is the decoded file, the others are made of it. */
async function imageCheck(prep: Prep, name: string): Promise<Check> {
  const [index, kind] = name.split('/') as [string, string]
  const side = sideOf(prep, name)
  const want = recorded(prep, name)
  if (kind === 'rgb') {
    const source = prep.json.images[Number(index)]
    if (!source) return failed(name, 'no file is named for it')
    const { data, width, height } = await decodeRgb(prep.folder.path(source.file))
    if (width !== source.w || height !== source.h) return failed(name, `the image is ${width} x ${height}, ${source.w} x ${source.h} is recorded`)
    if (![undefined, 'RGB', 'L', 'P', 'RGBA', 'LA'].includes(source.mode)) return failed(name, `nothing here knows the mode ${source.mode}`)
    return compareNumbers(name, data, want, TOLERANCES.exact)
  }
  if (/^pil_bicubic_\d+_u8$/.test(kind)) return compareNumbers(name, resizeBicubic(rgbOf(prep, index), side, side).data, want, TOLERANCES.oneLevel)
  if (/^cv2_linear_\d+_u8$/.test(kind)) return compareNumbers(name, resizeLinear(rgbOf(prep, index), side, side).data, want, TOLERANCES.exact)
  if (/^alb_\d+$/.test(kind)) return compareNumbers(name, planes(resizeLinear(rgbOf(prep, index), side, side).data, side, TRAINING_LEVELS), want, TOLERANCES.exact)
  if (/^test_transform_\d+$/.test(kind)) {
    // From the recorded resized pixels: the resize itself is compared above, to one level.
    const resized = `${index}/pil_bicubic_${side}_u8`
    const pixels = prep.file.tensors.has(resized) ? bytes(prep, resized) : resizeBicubic(rgbOf(prep, index), side, side).data
    return compareNumbers(name, planes(pixels, side, EVALUATION_LEVELS), want, TOLERANCES.exact)
  }
  return failed(name, 'nothing here computes it')
}

/** Interleaved bytes as normalised planes. */
export function planes(rgb: Uint8Array, side: number, levels: LevelTable): Float32Array {
  const out = new Float32Array(rgb.length)
  writePlanes(rgb, side, levels, false, out, 0)
  return out
}

/** Made of the first image of the same size. */
function colourCheck(prep: Prep, name: string): Check {
  const shape = tensorOf(prep.file, name).shape.join()
  const index = prep.json.images.findIndex((_, i) => prep.file.tensors.get(`${i}/rgb`)?.shape.join() === shape)
  if (index < 0) return failed(name, 'no image has its size')
  const { data } = rgbOf(prep, String(index))
  if (name === 'togray_u8') return compareNumbers(name, toGray(data), recorded(prep, name), TOLERANCES.exact)
  const draw = prep.json.colorjitter?.[Number(/^colorjitter_(\d+)_u8$/.exec(name)?.[1] ?? NaN)]
  if (!draw) return failed(name, 'nothing here computes it')
  const { brightness, contrast, hue, saturation, hue_shift: hueShift, sat_shift: saturationShift } = draw
  const shifts = [hue === undefined ? hueShift : Math.trunc(hue * 255), saturation === undefined ? saturationShift : Math.trunc(saturation * 255)]
  if (shifts[0] !== hueShift || shifts[1] !== saturationShift) return failed(name, `hue and saturation shift by ${shifts.join(' and ')}, ${hueShift} and ${saturationShift} are recorded`)
  return compareNumbers(name, jitterColors(data, { brightness, contrast, hueShift, saturationShift }), recorded(prep, name), TOLERANCES.oneLevel)
}

/** mask/R64_ms32_3: image side 64, mask side 32, annotation 3; mask/mask_all_...: all boxes at once. */
function maskCheck(prep: Prep, name: string): Check {
  const match = /^mask\/(mask_all_)?R(\d+)_ms(\d+)(?:_(\d+))?$/.exec(name)
  const annotation = prep.folder.json<readonly AnnotationJson[]>(ANNOTATIONS)[Number(match?.[4] ?? 0)]
  const boxes = match?.[1] ? prep.json.mask_all_boxes : annotation?.bbox
  const image = prep.json.images.find(({ file }) => file === annotation?.image)
  if (!match || !boxes || !image) return failed(name, 'nothing here computes it')
  const [model, side] = [Number(match[2]), Number(match[3])]
  const out = new Float32Array(side * side)
  writeRegionMask(boxesOnly(boxes), { width: image.w, height: image.h }, model, side, false, out, 0)
  return compareNumbers(name, out, recorded(prep, name), TOLERANCES.masks)
}

/** Captions of the annotations as the loader cleans them; every one of them has a region. */
function annotationChecks(prep: Prep): Check[] {
  const { folder, json } = prep
  const annotations = folder.json<readonly AnnotationJson[]>(ANNOTATIONS)
  const { max_words: words } = folder.json<{ max_words: number }>('config.json')
  return (json.mask_cases ?? []).flatMap((one) => {
    const { i, caption, box, indicator } = one
    const annotation = annotations[i]
    if (!annotation) return [failed(`annotation ${i}`, 'it is not in the file')]
    const cleaned = [annotation.caption].flat().map((text) => preCaption(text, words))
    return [
      compareExactly(`annotation ${i}: caption`, cleaned.find((text) => text === caption) ?? cleaned[0], caption),
      compareExactly(`annotation ${i}: box`, annotation.bbox.find((other) => String(other) === String(box)), box),
      compareExactly(`annotation ${i}: has a region`, [annotation.bbox.length > 0 ? 1 : 0], indicator),
      ...sumChecks(prep, annotation, one),
    ]
  })
}

/** The sum of a mask as listed, of the mask that we make. */
function sumChecks({ json, file }: Prep, annotation: AnnotationJson, { i, box, R: model, mask_size: side, mask_sum: sum, mask_dtype: dtype }: MaskJson): Check[] {
  const what = `annotation ${i} at ${model} and ${side}`
  const image = json.images.find((one) => one.file === annotation.image)
  const checks = dtype === undefined ? [] : [compareExactly(`${what}: type`, 'torch.float32', dtype)]
  if (sum === undefined || model === undefined || side === undefined) return checks
  if (!image) return [...checks, failed(what, `${annotation.image} is not listed`)]
  const out = new Float32Array(side * side)
  writeRegionMask(boxesOnly([box]), { width: image.w, height: image.h }, model, side, false, out, 0)
  const recordedAs = `mask/R${model}_ms${side}_${i}`
  return [
    ...checks,
    file.tensors.has(recordedAs) ? passed(what) : failed(what, `there is no tensor ${recordedAs}`),
    compareNumbers(`${what}: sum`, [out.reduce((total, value) => total + value, 0)], [sum], { absolute: 1e-5 * Math.max(1, sum), text: 'sums to 1e-5' }),
  ]
}
