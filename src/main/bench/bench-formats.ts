/** How quickly formats are written and read, through the engine as the page asks it, and the memory its process held meanwhile. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Job } from '../../shared/domain.ts'
import type { EngineCore } from '../engine/engine.ts'
import { peakBytes, resetPeak } from './high-water.ts'

export interface FormatFigure {
  readonly format: string
  readonly direction: 'export' | 'import'
  readonly images: number
  readonly regions: number
  /** Of the files of annotations alone. */
  readonly bytes: number
  readonly seconds: number
  readonly regionsPerSecond: number
  readonly megabytesPerSecond: number
  /** The most that the process held in resident memory meanwhile. */
  readonly peakBytes: number
}

export interface FormatBench {
  readonly source: string
  readonly imagesDir: string
  readonly formats: readonly string[]
  /** An empty folder for what is written. */
  readonly out: string
  /** Resolves with the result of the job. */
  readonly wait: (job: Job) => Promise<unknown>
  readonly onFigure: (figure: FormatFigure) => void
}

const IMAGE = /\.(png|jpe?g)$/i

/** Reads the source, then writes it in each format and reads that again. An export takes the time that its look at what would be lost takes, too. */
export async function benchFormats({ handlers }: EngineCore, { source, imagesDir, formats, out, wait, onFigure }: FormatBench): Promise<FormatFigure[]> {
  const figures: FormatFigure[] = []
  const measure = async (format: string, direction: FormatFigure['direction'], path: string, work: () => Promise<unknown>): Promise<{ datasetId?: string }> => {
    resetPeak()
    const from = performance.now()
    const result = (await work()) as { images: number; regions: number; datasetId?: string }
    const seconds = (performance.now() - from) / 1000
    const bytes = await annotationBytes(path)
    const figure = {
      format, direction, images: result.images, regions: result.regions, bytes, seconds, regionsPerSecond: result.regions / seconds, megabytesPerSecond: bytes / 1e6 / seconds, peakBytes: peakBytes(),
    }
    figures.push(figure)
    onFigure(figure)
    return result
  }
  const { datasetId } = await measure('amc-json', 'import', source, async () => wait(await handlers.datasets.import({ path: source, imagesDir, name: 'source' })))
  const known = await handlers.datasets.formats({})
  for (const format of formats) {
    const path = join(out, format)
    const images = known.find(({ name }) => name === format)?.needsImages ? 'copy' : 'refer'
    await measure(format, 'export', path, async () => wait(await handlers.datasets.export({ datasetId: datasetId!, format, out: path, images, drop: true })))
    await measure(format, 'import', path, async () => wait(await handlers.datasets.import({ path, format, name: format, ...(images === 'refer' ? { imagesDir } : {}) })))
  }
  return figures
}

async function annotationBytes(path: string): Promise<number> {
  const info = await stat(path)
  if (info.isFile()) return info.size
  let sum = 0
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && !IMAGE.test(entry.name)) sum += (await stat(join(entry.parentPath, entry.name))).size
  }
  return sum
}
