/** What an import would bring in, without bringing it in: counts, what is skipped and why, and ten samples to look at. */
import type { Box } from '../../shared/geometry.ts'
import { renderThumbnail, THUMBNAIL_TYPE } from '../images/thumbnail.ts'
import { openDataset } from './read-dataset.ts'
import type { OpenSource, ReadOptions, ReadSample, Skipped } from './types.ts'

export interface DatasetPreview {
  readonly format: string
  readonly images: number
  readonly regions: number
  readonly boxes: number
  readonly fields: OpenSource['fields']
  readonly skipped: readonly Skipped[]
  /** Regions by flag: crosses-edge, outside-image, ... */
  readonly flagged: Readonly<Record<string, number>>
  readonly samples: readonly PreviewSample[]
}
interface PreviewSample {
  readonly phrase: string
  readonly boxes: readonly Box[]
  readonly width: number
  readonly height: number
  /** The picture itself, as a data: address. */
  readonly thumb: string
}

const SAMPLES = 10
/** A report longer than this helps nobody on a screen; the import itself keeps all of it. */
const MAX_SKIPPED = 1000

/** @throws AppError as readDataset does */
export async function previewDataset(path: string, options: ReadOptions = {}): Promise<DatasetPreview> {
  const { format, fields, items } = await openDataset(path, options)
  const images = new Set<string>()
  const skipped: Skipped[] = []
  const flagged: Record<string, number> = {}
  const picker = spreadPicker(SAMPLES)
  let regions = 0
  let boxes = 0
  for await (const item of items) {
    if ('skipped' in item) {
      if (skipped.length < MAX_SKIPPED) skipped.push(item.skipped)
      continue
    }
    if (!images.has(item.image.path) && item.regions.length > 0) picker.offer(item)
    images.add(item.image.path)
    for (const region of item.regions) {
      regions++
      boxes += region.boxes.length
      for (const flag of region.flags) flagged[flag] = (flagged[flag] ?? 0) + 1
    }
  }
  const samples = await Promise.all(picker.picked().map(toSample))
  return { format, images: images.size, regions, boxes, fields, skipped, flagged, samples }
}

/** Keeps a few samples spread over all that come, without knowing how many will come: when there are too many, every other one goes. */
function spreadPicker(count: number): { offer: (sample: ReadSample) => void; picked: () => readonly ReadSample[] } {
  let kept: ReadSample[] = []
  let stride = 1
  let seen = 0
  return {
    offer: (sample) => {
      if (seen++ % stride !== 0) return
      kept.push(sample)
      if (kept.length < count * 4) return
      kept = kept.filter((_, i) => i % 2 === 0)
      stride *= 2
    },
    picked: () => (kept.length <= count ? kept : Array.from({ length: count }, (_, i) => kept[Math.floor((i * kept.length) / count)]!)),
  }
}

async function toSample(sample: ReadSample): Promise<PreviewSample> {
  const region = sample.regions[0]!
  const bytes = await renderThumbnail(sample.image.path)
  const thumb = `data:${THUMBNAIL_TYPE};base64,${bytes.toString('base64')}`
  return { phrase: region.phrase, boxes: region.boxes, width: sample.image.width, height: sample.image.height, thumb }
}
