/**
 * ODVG (grounding JSON lines): {"filename", "height", "width", "grounding": {"caption", "regions": [{"bbox", "phrase", "tokens_positive"}]}}, one image
 * a line, or "detection" with instances. A region's bbox is one box or a list of boxes.
 */
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Box } from '../../shared/geometry.ts'
import { splitOfName } from './amc-json.ts'
import { isNumbers } from './attributes.ts'
import { headOf } from './files.ts'
import { readLines } from './lines.ts'
import type { ExportSample, Format, FormatWriter, OpenSource, RawItem, RawRegion } from './types.ts'

const write: FormatWriter = {
  file: 'odvg.jsonl', names: 'paths', needsImages: false,
  imagePath: ({ name }) => `images/${name}`,
  holds: { boxes: 'many', fields: ['emptyImages', 'duplicates'], known: ['bbox', 'phrase', 'tokens_positive', 'filename', 'height', 'width', 'grounding', 'region', 'label', 'category'] },
  begin: async (out) => {
    const file = await out.create('odvg.jsonl')
    return {
      add: (sample) => file.write(`${JSON.stringify(lineOf(sample))}\n`),
      finish: () => file.close(),
    }
  },
}

/** The caption of before while all its regions are untouched; otherwise their phrases one after the other, and where each stands. */
function lineOf({ image, regions }: ExportSample): unknown {
  const raw = image.raw as (Record<string, unknown> & { caption?: string; regions?: number }) | undefined
  const head = { ...raw, caption: undefined, regions: undefined, filename: image.name, height: image.height, width: image.width }
  const records = regions.map((region) => (region.untouched ? (region.raw as { region?: unknown } | undefined)?.region : undefined))
  if (raw?.caption !== undefined && raw.regions === regions.length && records.every((one) => one !== undefined)) return { ...head, grounding: { caption: raw.caption, regions: records } }
  let caption = ''
  const made = regions.map(({ phrase, boxes }) => {
    const start = Array.from(caption).length
    caption += `${phrase}. `
    return { bbox: boxes.length === 1 ? boxes[0] : boxes, phrase, tokens_positive: [[start, start + Array.from(phrase).length]] }
  })
  return { ...head, grounding: { caption: caption.trimEnd(), regions: made } }
}

export const odvg: Format = {
  name: 'odvg',
  title: 'ODVG grounding JSON Lines',
  match: async (path) => {
    const head = await headOf(await fileOf(path), 65536)
    return /^\uFEFF?\s*\{/.test(head) && /"filename"\s*:/.test(head) && /"(grounding|detection)"\s*:\s*\{/.test(head)
  },
  open: openOdvg,
  write,
}

async function fileOf(path: string): Promise<string> {
  return (await stat(path).catch(() => null))?.isDirectory() ? join(path, 'odvg.jsonl') : path
}

async function openOdvg(path: string): Promise<OpenSource> {
  const file = await fileOf(path)
  return {
    imageRoots: [dirname(file), join(dirname(file), 'images')],
    fields: [{ from: 'filename', to: 'image' }, { from: 'phrase', to: 'phrase' }, { from: 'bbox', to: 'boxes' }, { from: 'file name', to: 'split' }],
    entries: async function* (signal) {
      for await (const { value, line } of readLines(file, signal)) yield* readEntry(value, basename(file), line)
    },
  }
}

function* readEntry(value: unknown, file: string, line: number): Generator<RawItem> {
  const skip = (reason: string): RawItem => ({ skipped: { file, line, reason } })
  const entry = value as { filename?: unknown; grounding?: { caption?: unknown; regions?: unknown }; detection?: { instances?: unknown } } | null
  if (typeof entry?.filename !== 'string' || entry.filename === '') return yield skip('The line names no image (filename).')
  const grounding = entry.grounding
  const list = grounding ? grounding.regions : entry.detection?.instances
  if (!Array.isArray(list)) return yield skip('The line holds neither grounding.regions nor detection.instances.')
  const lost = (reason: string): RawItem => ({ skipped: { file, line, reason }, of: { imageRef: entry.filename as string } })
  const regions: RawRegion[] = []
  for (const [i, one] of (list as ({ bbox?: unknown; phrase?: unknown; category?: unknown } | null)[]).entries()) {
    const phrase = Array.isArray(one?.phrase) ? one.phrase.join(' ') : (one?.phrase ?? one?.category)
    const written = one?.bbox
    const boxes = isNumbers(written, 4) ? [written] : Array.isArray(written) && written.length > 0 && written.every((box) => isNumbers(box, 4)) ? (written as number[][]) : null
    if (typeof phrase !== 'string') yield lost(`Region ${i + 1} has no phrase.`)
    else if (!boxes) yield lost(`The box of "${phrase.slice(0, 40)}" is not [x1, y1, x2, y2], nor a list of such.`)
    else regions.push({ phrase, boxes: boxes as unknown as Box[], unit: 'pixels', file, line, raw: { region: one } })
  }
  const { grounding: _g, detection: _d, ...head } = entry as Record<string, unknown>
  yield { imageRef: entry.filename, file, line, split: splitOfName(file), regions, raw: { ...head, ...(typeof grounding?.caption === 'string' ? { caption: grounding.caption, regions: list.length } : {}) } }
}
