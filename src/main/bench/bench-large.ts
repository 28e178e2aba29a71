/** One image of hundreds of megapixels through the engine: brought in, shown small, cut into tiles, explained; and the memory that takes. */
import type { Job } from '../../shared/domain.ts'
import type { Engine } from '../engine/engine.ts'
import { peakBytesOf, resetPeak } from './high-water.ts'

export interface LargeFigure {
  readonly what: 'import' | 'thumbnail' | 'tiles' | 'heatmap'
  readonly seconds: number
  readonly bytes: number
  /** The most that the engine held in resident memory meanwhile; null where the system does not tell. */
  readonly engineBytes: number | null
  /** The same of the process that computes heatmaps. */
  readonly computeBytes: number | null
}

/**
 * @param source annotations of one image with one region
 * @param checkpointId null: no heatmap is asked for
 */
export async function benchLarge(
  engine: Engine, source: string, checkpointId: string | null, wait: (job: Job) => Promise<unknown>, onFigure: (figure: LargeFigure) => void,
): Promise<LargeFigure[]> {
  const { handlers, context } = engine
  const figures: LargeFigure[] = []
  const measure = async <T>(what: LargeFigure['what'], work: () => Promise<T>, sizeOf: (result: T) => number): Promise<T> => {
    resetPeak()
    const before = context.interactive.pid()
    if (before !== null) resetPeak(before)
    const from = performance.now()
    const result = await work()
    const seconds = (performance.now() - from) / 1000
    const pid = context.interactive.pid()
    const figure = { what, seconds, bytes: sizeOf(result), engineBytes: peakBytesOf('self'), computeBytes: pid === null ? null : peakBytesOf(pid) }
    figures.push(figure)
    onFigure(figure)
    return result
  }
  const fetched = async (path: string): Promise<number> => {
    const response = await fetch(new URL(path, engine.url), { headers: { authorization: `Bearer ${engine.token}` } })
    if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${await response.text()}`)
    return (await response.arrayBuffer()).byteLength
  }
  const { datasetId } = await measure('import', async () => (await wait(await handlers.datasets.import({ path: source, name: 'large' }))) as { datasetId: string }, () => 0)
  const { rows: [row] } = await handlers.regions.query({ filter: { datasetId }, sort: 'file-order', descending: false, offset: 0, limit: 1 })
  const { imageId, phrase } = row!
  await measure('thumbnail', () => fetched(`media/thumb/${imageId}`), (bytes) => bytes)
  await measure('tiles', () => fetched(`media/tile/${imageId}/0/0/0`), (bytes) => bytes)
  if (checkpointId !== null) await measure('heatmap', async () => handlers.heatmaps.get({ imageId, checkpointId, phrase }), ({ grid }) => grid.values.length * 4)
  return figures
}
