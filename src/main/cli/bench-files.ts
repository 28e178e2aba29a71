/** The parts of `amc bench curate` that bring files in and out: formats of annotations, and one very large image. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FormatFigure } from '../bench/bench-formats.ts'
import type { LargeFigure } from '../bench/bench-large.ts'
import type { CommandInput, CommandIo, CommandResult } from './command.ts'
import { waitForJob } from './project.ts'

/** One of each kind: lines, one list, lists side by side, a file an image, XML. */
const FORMATS = ['amc-jsonl', 'amc-json', 'coco', 'visual-genome', 'odvg', 'pascal-voc', 'yolo', 'cvat', 'label-studio']
const REGIONS_AN_IMAGE = 25
const SIZE = { width: 640, height: 480 }
const LARGE = { width: 20_000, height: 15_000 }
const MB = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'amc-bench-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

export function benchFormatsPart(input: CommandInput, io: CommandIo): Promise<CommandResult> {
  return inFolder(async (folder) => {
    const [{ openEngine }, { benchFormats }] = await Promise.all([import('../engine/engine.ts'), import('../bench/bench-formats.ts')])
    const regions = input.integer('regions', { min: 1 }) ?? 50_000
    const wanted = input.all('format')
    const data = join(folder, 'data')
    await writeSynthetic(data, regions)
    const out = join(folder, 'out')
    await mkdir(out)
    const engine = await openEngine({ projectDir: join(folder, 'project') })
    try {
      await engine.settled
      const figures = await benchFormats(engine, {
        source: join(data, 'annotations.json'), imagesDir: data, formats: wanted.length > 0 ? wanted : FORMATS, out, wait: (job) => waitForJob(engine, job, io), onFigure: (figure) => io.note(formatLine(figure)),
      })
      return { json: { cpus: cpus().length, regions, figures, peakBytes: Math.max(...figures.map((figure) => figure.peakBytes)) }, lines: [`At most ${MB(Math.max(...figures.map((figure) => figure.peakBytes)))} of memory over all of them.`] }
    } finally {
      await engine.close()
    }
  })
}

/** The same on every run. */
async function writeSynthetic(dir: string, regions: number): Promise<void> {
  const { default: sharp } = await import('sharp')
  await mkdir(dir)
  const picture = await sharp({ create: { ...SIZE, channels: 3, background: '#789' } }).png().toBuffer()
  let seed = 12_345
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
  const annotations: object[] = []
  for (let n = 0; n < regions; n++) {
    const image = `${Math.floor(n / REGIONS_AN_IMAGE)}.png`
    if (n % REGIONS_AN_IMAGE === 0) await writeFile(join(dir, image), picture)
    const [x, y, width, height] = [random() * 400, random() * 300, 10 + random() * 200, 10 + random() * 150].map((value) => Math.round(value * 100) / 100) as [number, number, number, number]
    annotations.push({ image, caption: `the ${['red', 'green', 'small', 'large'][n % 4]} thing number ${n % 500}`, bbox: [[x, y, Math.min(SIZE.width, x + width), Math.min(SIZE.height, y + height)]], split: n % 5 === 0 ? 'val' : 'train' })
  }
  await writeFile(join(dir, 'annotations.json'), JSON.stringify(annotations))
}

export function benchLargePart(io: CommandIo): Promise<CommandResult> {
  return inFolder(async (folder) => {
    const [{ createEngine }, { benchLarge }, { readInstalledRuntime }, { default: sharp }] = await Promise.all([
      import('../engine/engine.ts'), import('../bench/bench-large.ts'), import('../compute/backend.ts'), import('sharp'),
    ])
    const data = join(folder, 'data')
    await mkdir(data)
    io.note(`Drawing ${LARGE.width} x ${LARGE.height} pixels`)
    // A small picture made large as it is written: that takes no memory of the process which is measured.
    const small = await sharp({ create: { width: LARGE.width / 20, height: LARGE.height / 20, channels: 3, background: '#678', noise: { type: 'gaussian', mean: 120, sigma: 30 } } }).png().toBuffer()
    await sharp(small, { sequentialRead: true }).resize({ ...LARGE, kernel: 'nearest' }).jpeg({ quality: 80 }).toFile(join(data, 'large.jpg'))
    await writeFile(join(data, 'annotations.json'), JSON.stringify([{ image: 'large.jpg', caption: 'the grey thing', bbox: [[100, 100, 15_000, 12_000]] }]))
    const engine = await createEngine({ projectDir: join(folder, 'project'), port: 0 })
    try {
      await engine.settled
      const checkpoint = (await engine.handlers.checkpoints.list({}))[0]
      const canCompute = checkpoint !== undefined && readInstalledRuntime() !== null
      if (!canCompute) io.note('No heatmap: there is no checkpoint, or TensorFlow is not set up.')
      const figures = await benchLarge(engine, join(data, 'annotations.json'), canCompute ? checkpoint.id : null, (job) => waitForJob(engine, job, io), (figure) => io.note(largeLine(figure)))
      return { json: { cpus: cpus().length, ...LARGE, figures }, lines: [`At most ${MB(Math.max(...figures.map(({ engineBytes }) => engineBytes ?? 0)))} in the engine, ${MB(Math.max(...figures.map(({ computeBytes }) => computeBytes ?? 0)))} in the computing process.`] }
    } finally {
      await engine.close()
    }
  })
}

function formatLine({ format, direction, regions, seconds, regionsPerSecond, megabytesPerSecond, peakBytes }: FormatFigure): string {
  return `${format.padEnd(14)} ${direction}  ${regions} regions in ${seconds.toFixed(2)} s: ${Math.round(regionsPerSecond)} regions/s, ${megabytesPerSecond.toFixed(1)} MB/s of annotations; at most ${MB(peakBytes)}`
}

function largeLine({ what, seconds, engineBytes, computeBytes }: LargeFigure): string {
  const of = (bytes: number | null, who: string): string => (bytes === null ? '' : `, ${who} at most ${MB(bytes)}`)
  return `${what.padEnd(10)}${seconds.toFixed(1).padStart(7)} s${of(engineBytes, 'engine')}${of(computeBytes, 'computing process')}`
}
