/** Datasets: list, look at before importing, import, report of what was skipped, remove. */
import { resolve } from 'node:path'
import type { EngineContext, Handlers } from '../../engine/context.ts'
import { AppError, toErrorData } from '../../../shared/errors.ts'
import { previewDataset } from '../../formats/preview-dataset.ts'
import { datasetNameOf } from '../../formats/read-dataset.ts'
import { FORMATS } from '../../formats/registry.ts'
import { browse } from './browse.ts'
import { exportDataset, planExport } from './export-job.ts'
import { importDataset } from './import-job.ts'
import { datasetsFrom, keepConflicts, listDatasets, listSkipped, requireDataset } from './queries.ts'
import { removeDataset } from './remove.ts'
import { startUpdate } from './start-update.ts'
import { stampOf } from './watch.ts'

/** For a page; the command line lists all. */
const MAX_SKIPPED_SHOWN = 10_000

export function datasetsHandlers({ project, db, jobs, events, turns, makeDemo, author }: EngineContext): Handlers<'datasets'> {
  /** Images found by the last previews, so that the import knows how much there is to do. */
  const previewed = new Map<string, number>()
  return {
    list: () => listDatasets(db),
    preview: async ({ path, imagesDir }, call) => {
      const { format, images, regions, fields, skipped, flagged, samples } = await previewDataset(path, { ...(imagesDir ? { imagesDir } : {}), ...(call?.signal ? { signal: call.signal } : {}) })
      previewed.set(resolve(path), images)
      return {
        format, images, regions, fields: [...fields], skipped: [...skipped], flagged: { ...flagged },
        samples: samples.map((sample) => ({ ...sample, boxes: [...sample.boxes] })), there: datasetsFrom(project, resolve(path), format),
      }
    },
    import: ({ path, imagesDir, name, format }) => {
      const title = name?.trim() || datasetNameOf(resolve(path))
      return jobs.add({
        kind: 'import', title: `Import ${title}`, lane: 'files', unit: 'images', total: previewed.get(resolve(path)) ?? 0,
        work: async ({ signal, progress }) => {
          const result = await importDataset(project, {
            path: resolve(path), imagesDir, format, name: title, signal,
            onProgress: ({ images, regions, skipped }) =>
              progress({ done: images, message: `${images.toLocaleString('en')} images, ${regions.toLocaleString('en')} regions${skipped ? `, ${skipped.toLocaleString('en')} skipped` : ''}` }),
          })
          progress({ done: result.images, total: result.images })
          events.emit({ type: 'datasets.changed' })
          return result
        },
      })
    },
    formats: () => FORMATS.map(({ name, title, write }) => ({ name, title, writes: write !== undefined, file: write?.file ?? null, needsImages: write?.needsImages ?? false })),
    planExport: (request, call) => planExport(project, { ...request, signal: call?.signal }),
    export: async ({ drop, ...request }, call) => {
      const plan = await planExport(project, { ...request, signal: call?.signal })
      if (plan.losses.length > 0 && !drop) {
        const lost = plan.losses.map(({ what, count, unit }) => `${what} (${count} ${unit})`).join('; ')
        throw new AppError('conflict', `The format ${plan.format} cannot hold everything: ${lost}. Nothing was written.`, 'Say that this may be left out, or choose a format that holds it.', request.format)
      }
      const { name } = requireDataset(db, request.datasetId)
      return jobs.add({
        kind: 'export', title: `Export ${name}`, lane: 'files', unit: 'images', total: plan.images, about: { datasetId: request.datasetId },
        work: async ({ signal, progress }) => {
          const written = await exportDataset(project, { ...request, out: resolve(request.out), signal, onProgress: ({ images, regions }) => progress({ done: images, message: `${images.toLocaleString('en')} images, ${regions.toLocaleString('en')} regions` }) })
          return { ...written, format: plan.format, lost: plan.losses }
        },
      })
    },
    update: (request) => startUpdate({ project, db, jobs, events, turns, author }, request),
    setWatch: async ({ id, on }) => {
      requireDataset(db, id)
      const { source } = db.get<{ source: string }>('SELECT source FROM datasets WHERE id = ?', id)!
      // What is there now counts as read: watching begins with the next change.
      db.run('UPDATE datasets SET watch = ?, stamp = ? WHERE id = ?', on ? 1 : 0, on ? await stampOf(project.fromStored(source)) : null, id)
      events.emit({ type: 'datasets.changed' })
      return {}
    },
    demo: () => makeDemo(),
    skipped: ({ id }) => listSkipped(db, id, MAX_SKIPPED_SHOWN),
    remove: ({ id }) => {
      requireDataset(db, id)
      keepConflicts(db, id, 0)
      const removed = removeDataset(db, id)
      events.emit({ type: 'datasets.changed' })
      removed.catch((error: unknown) => console.error(`A dataset could not be removed completely; the next start goes on: ${toErrorData(error).message}`))
      return {}
    },
    browse: ({ path }) => browse(path),
  }
}
