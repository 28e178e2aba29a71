/** `amc bench curate`: a project of its own, its engine, a browser without a window, and the canvas under the hand. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FrameCase, FrameRow } from '../bench/bench-frames.ts'
import { AppError } from '../../shared/errors.ts'
import { benchFormatsPart, benchLargePart } from './bench-files.ts'
import { benchQueuePart } from './bench-queue.ts'
import { benchScrollPart } from './bench-scroll.ts'
import type { Command, CommandIo } from './command.ts'
import { waitForJob } from './project.ts'

const BOX_COUNTS = [1, 100, 1_000, 2_000, 10_000]
const IMAGE = { width: 1600, height: 1200 }
/** The box in hand, the same among however many others. */
const IN_HAND = [700, 500, 900, 700] as const
const WINDOW = { width: 1600, height: 1000 }

const PARTS = ['frames', 'queue', 'scroll', 'formats', 'large'] as const

export const benchCurateCommand: Command = {
  name: 'bench curate',
  summary: 'Frames of the Curate canvas while dragging, hovering and panning among 1 to 10,000 boxes, and what the page computes in each.',
  positionals: [],
  options: {
    part: { type: 'string', value: PARTS.join('|'), help: 'frames of the canvas (unless given); queue: what the engine takes to open, sort, filter and search; scroll: the queue in the browser; formats: import and export; large: an image of 300 megapixels.' },
    boxes: { type: 'string', value: 'N', help: `Boxes on the image (${BOX_COUNTS.join(', ')}).`, multiple: true },
    frames: { type: 'string', value: 'N', help: 'Frames of each gesture (120).' },
    regions: { type: 'string', value: 'N', help: 'Of queue and scroll: regions of the synthetic dataset (1000000); of formats (50000).' },
    format: { type: 'string', value: 'NAME', help: 'Of formats: only this one.', multiple: true },
    times: { type: 'string', value: 'N', help: 'Of the queue: how often each question is asked; the median is told (7).' },
    seed: { type: 'string', value: 'N', help: 'Of the queue: of the figures the dataset is made of (1).' },
  },
  details: `Needs a Chromium (AMC_CHROMIUM names one) and a built page. Nothing of yours is touched: it works in a folder that is removed.
The rate depends on what else the machine does; scriptMsPerFrame, by Chromium's profiler, hardly does.
Result: {cpus, rows: [{boxes, gesture, frames, moves, framesPerSecond, p95FrameMs, scriptMsPerFrame, garbageMsPerFrame, hot: [{name, ms}]}]}.
Of the queue: {regions, madeSeconds, databaseBytes, figures: [{what, medianMs, slowestMs, rows}], memoryBefore, memoryAfter}.
Of scroll: {cpus, regions, openedMs, gestures: [{gesture, frames, framesPerSecond, p95FrameMs, emptyRowFrames}]}.
Of formats: {cpus, regions, figures: [{format, direction, images, regions, bytes, seconds, regionsPerSecond, megabytesPerSecond, peakBytes}], peakBytes}.
Of large: {cpus, width, height, figures: [{what, seconds, bytes, engineBytes, computeBytes}]}.`,
  run: async (input, io) => {
    const part = input.text('part') ?? 'frames'
    if (!PARTS.some((known) => known === part)) throw new AppError('usage', `amc bench curate has no part ${part}.`, `Parts are ${PARTS.join(', ')}.`, '--part')
    if (part === 'queue') return benchQueuePart(input, io)
    if (part === 'scroll') return benchScrollPart(input, io)
    if (part === 'formats') return benchFormatsPart(input, io)
    if (part === 'large') return benchLargePart(io)
    const wanted = input.all('boxes').map(Number).filter((count) => Number.isInteger(count) && count > 0)
    const frames = input.integer('frames', { min: 10, max: 2_000 }) ?? 120
    const folder = await mkdtemp(join(tmpdir(), 'amc-bench-curate-'))
    try {
      const rows = await measure(folder, wanted.length > 0 ? wanted : BOX_COUNTS, frames, io)
      return { json: { cpus: cpus().length, rows }, lines: [] }
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  },
}

async function measure(folder: string, counts: readonly number[], frames: number, io: CommandIo): Promise<FrameRow[]> {
  const [{ createEngine }, { openBenchPage }, { benchFrames }] = await Promise.all([import('../engine/engine.ts'), import('../bench/chromium.ts'), import('../bench/bench-frames.ts')])
  await writeScenes(join(folder, 'data'), counts)
  const engine = await createEngine({ projectDir: join(folder, 'project'), port: 0 })
  try {
    await engine.settled
    const { datasets, regions } = engine.handlers
    const { datasetId } = (await waitForJob(engine, await datasets.import({ path: join(folder, 'data', 'annotations.json'), name: 'bench' }), io)) as { datasetId: string }
    const { rows } = await regions.query({ filter: { datasetId, text: 'in hand' }, sort: 'file-order', descending: false, offset: 0, limit: counts.length })
    const cases: FrameCase[] = rows.map((row, i) => ({ boxes: counts[i]!, hash: `/curate?dataset=${datasetId}&region=${row.id}&image=${row.imageId}` }))
    const url = engine.url.replace(/\/$/, '')
    const page = await openBenchPage(WINDOW)
    try {
      // Nobody is here for the first time: the tour would lead the page elsewhere.
      await page.send('Network.setCookie', { name: 'amc-tour', value: 'seen', url })
      await page.send('Page.navigate', { url: `${url}/?token=${engine.token}` })
      await page.evaluate('new Promise((resolve) => setTimeout(resolve, 1500))')
      return await benchFrames(page, url, cases, { x: (IN_HAND[0] + IN_HAND[2]) / 2, y: (IN_HAND[1] + IN_HAND[3]) / 2 }, frames, (row) => io.note(lineOf(row)))
    } finally {
      await page.close()
    }
  } finally {
    await engine.close()
  }
}

/** One picture a case; its boxes lie all over it, from tiny to large, the same on every run. */
async function writeScenes(dir: string, counts: readonly number[]): Promise<void> {
  const { default: sharp } = await import('sharp')
  await mkdir(dir, { recursive: true })
  const picture = await sharp({ create: { ...IMAGE, channels: 3, background: '#557', noise: { type: 'gaussian', mean: 120, sigma: 40 } } }).jpeg({ quality: 80 }).toBuffer()
  let seed = 12345
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
  const annotations: object[] = []
  for (const [i, count] of counts.entries()) {
    const image = `scene-${i}.jpg`
    await writeFile(join(dir, image), picture)
    annotations.push({ image, caption: `box in hand of ${count}`, bbox: [IN_HAND] })
    for (let k = 1; k < count; k++) {
      const [width, height] = [8 + random() ** 3 * 300, 8 + random() ** 3 * 240]
      const [x, y] = [random() * (IMAGE.width - width), random() * (IMAGE.height - height)]
      annotations.push({ image, caption: `thing ${k} of scene ${i}`, bbox: [[x, y, x + width, y + height]] })
    }
  }
  await writeFile(join(dir, 'annotations.json'), JSON.stringify(annotations))
}

function lineOf({ boxes, gesture, framesPerSecond, p95FrameMs, scriptMsPerFrame, hot }: FrameRow): string {
  const most = hot.slice(0, 2).map(({ name, ms }) => `${name} ${ms.toFixed(2)}`).join(', ')
  return `${String(boxes).padStart(6)} boxes  ${gesture.padEnd(8)} ${framesPerSecond.toFixed(0).padStart(4)} frames/s  95 % within ${p95FrameMs.toFixed(0)} ms  script ${scriptMsPerFrame.toFixed(2)} ms a frame (${most})`
}
