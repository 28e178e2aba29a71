/**
 * Brings a dataset in: rows in small transactions, so that edits and heatmaps go on meanwhile. Until the last row is in, the
 * dataset is 'importing' and nobody sees it; cancelling removes it, and so does the next start after a kill.
 */
import { setImmediate } from 'node:timers/promises'
import { AppError } from '../../../shared/errors.ts'
import { openDataset } from '../../formats/read-dataset.ts'
import type { ReadSample, Skipped } from '../../formats/types.ts'
import { newId } from '../../store/ids.ts'
import type { Project } from '../../store/project.ts'
import { indexRegions } from '../../store/region-search.ts'
import { insertSample } from './insert-rows.ts'
import { removeDataset } from './remove.ts'

export interface ImportRequest {
  readonly path: string
  readonly imagesDir?: string | undefined
  readonly format?: string | undefined
  readonly name: string
  /** Leaves it in the state 'importing', which nobody sees: for comparing it with another. */
  readonly hidden?: boolean
  readonly signal?: AbortSignal
  /** Told of an image that is there and cannot be read, or not all of its regions. */
  readonly onUnreadable?: (path: string) => void
  readonly onProgress?: (progress: { images: number; regions: number; skipped: number }) => void
}
export interface ImportResult {
  readonly datasetId: string
  readonly images: number
  readonly regions: number
  readonly skipped: number
}

/** Rows of one transaction: about ten milliseconds. */
const ROWS_AT_ONCE = 500

/** @throws AppError 'bad-input' with file, line and column, or when nothing usable was found; 'cancelled'; 'disk-full'. Nothing stays behind then. */
export async function importDataset(project: Project, request: ImportRequest): Promise<ImportResult> {
  const { db } = project
  const source = await openDataset(request.path, {
    ...(request.imagesDir ? { imagesDir: request.imagesDir } : {}), ...(request.format ? { format: request.format } : {}), ...(request.signal ? { signal: request.signal } : {}),
  })
  const datasetId = newId('ds')
  db.run("INSERT INTO datasets (id, name, format, source, created_at, state) VALUES (?, ?, ?, ?, ?, 'importing')", datasetId, request.name, source.format, project.toStored(request.path), new Date().toISOString())
  const counts = { images: 0, regions: 0, skipped: 0 }
  const firstReasons: string[] = []
  try {
    let batch: (ReadSample | { skipped: Skipped })[] = []
    let rows = 0
    const flush = async (): Promise<void> => {
      db.transaction(() => {
        for (const item of batch) {
          if ('skipped' in item) {
            db.run('INSERT INTO skipped (dataset_id, file, line, reason) VALUES (?, ?, ?, ?)', datasetId, item.skipped.file, item.skipped.line, item.skipped.reason)
            counts.skipped++
            if (item.skipped.image !== undefined) request.onUnreadable?.(item.skipped.image)
            if (firstReasons.length < 3) firstReasons.push(item.skipped.reason)
          } else insertSample(db, project, datasetId, item, counts)
        }
      })
      batch = []
      rows = 0
      request.onProgress?.(counts)
      await setImmediate() // lets calls of the page come through
    }
    for await (const item of source.items) {
      if (request.signal?.aborted) throw new AppError('cancelled', 'The import was cancelled; nothing was kept.')
      batch.push(item)
      rows += 'skipped' in item ? 1 : 1 + item.regions.length
      if (rows >= ROWS_AT_ONCE) await flush()
    }
    await flush()
    if (request.signal?.aborted) throw new AppError('cancelled', 'The import was cancelled; nothing was kept.')
    if (counts.images === 0) {
      const why = firstReasons.length > 0 ? ` The first reasons: ${firstReasons.join(' ')}` : ''
      throw new AppError('bad-input', `No image with a region could be read from ${request.path}.${why}`, 'Correct the file, or name the folder that holds the images.', request.path)
    }
    for (const _ of indexRegions(db, datasetId)) await setImmediate()
    if (request.signal?.aborted) throw new AppError('cancelled', 'The import was cancelled; nothing was kept.')
    const head = source.head()
    db.run("UPDATE datasets SET state = ?, raw = ?, images_dir = ? WHERE id = ?", request.hidden ? 'importing' : 'ready', head == null ? null : JSON.stringify(head), request.imagesDir ? project.toStored(request.imagesDir) : null, datasetId)
    return { datasetId, ...counts }
  } catch (error) {
    // With a full disk even the removal may fail: the next start does it.
    await removeDataset(db, datasetId).catch(() => undefined)
    throw error
  }
}
