/** Reading a source again as a job: asked for by a person, or by the watching of its folder. */
import type { EngineContext } from '../../engine/context.ts'
import type { Job } from '../../../shared/domain.ts'
import { undoState } from '../../store/ledger-rows.ts'
import { keepConflicts, requireDataset } from './queries.ts'
import { type Side, updateDataset } from './update-job.ts'

export interface UpdateInput {
  readonly id: string
  readonly dryRun?: boolean | undefined
  readonly decisions?: Readonly<Record<string, Side>> | undefined
  readonly otherwise?: Side | undefined
}

export function startUpdate({ project, db, jobs, events, turns, author }: Pick<EngineContext, 'project' | 'db' | 'jobs' | 'events' | 'turns' | 'author'>, { id, dryRun, decisions, otherwise }: UpdateInput): Job {
  const { name } = requireDataset(db, id)
  return jobs.add({
    kind: 'import', title: `${dryRun ? 'Compare' : 'Update'} ${name}`, lane: 'files', unit: 'images', about: { datasetId: id },
    work: async ({ signal, progress }) => {
      let images = 0
      const report = await updateDataset({ project, turns }, {
        datasetId: id, dryRun: dryRun ?? false, decisions, otherwise, author: author(), signal,
        onProgress: (done) => {
          images = done
          progress({ done })
        },
      }).finally(() => {
        // Of an update that was cancelled or failed on the way, the images that were done stay updated.
        if (!dryRun && images > 0) events.emit({ type: 'regions.changed', datasetId: id, imageIds: [], regionIds: [], isMany: true, ...undoState(db) })
      })
      // What was only tried decides nothing: it goes on waiting.
      const isNews = keepConflicts(db, id, report.conflicts.length + (dryRun ? report.resolved : 0))
      if (!dryRun || isNews) events.emit({ type: 'datasets.changed' })
      if (!dryRun) {
        progress({ message: `${report.added} new, ${report.changed} changed, ${report.removed} gone${report.conflicts.length > 0 ? `, ${report.conflicts.length} conflicts` : ''}` })
      }
      return report
    },
  })
}
