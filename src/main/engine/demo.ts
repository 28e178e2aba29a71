/** The demo project: made on its first opening as a job, so that the page is there at once. */
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Job } from '../../shared/domain.ts'
import { generateDemo } from '../demo/generate.ts'
import { importDataset } from '../features/datasets/import-job.ts'
import { queueScoring } from '../features/scores/handlers.ts'
import type { Db } from '../store/db.ts'
import { PROTOCOL } from '../store/region-rows.ts'
import type { EngineContext } from './context.ts'

export interface DemoSize {
  readonly train?: number
  readonly closeUps?: number
  readonly heldOut?: number
}

const NAME = 'Demo scenes'
const SEED = 0

/** Whether this project ever had the demo: one that was removed on purpose stays away. */
export function hadDemo(db: Db): boolean {
  return db.get("SELECT 1 FROM project WHERE key = 'demo'") !== undefined
}

/** @returns the job, or the one that is at it already */
export function makeDemo({ project, db, jobs, events }: Pick<EngineContext, 'project' | 'db' | 'jobs' | 'events'>, size: DemoSize, onMade: (datasetId: string) => void): Job {
  const running = jobs.list().find((job) => job.kind === 'demo' && (job.state === 'waiting' || job.state === 'running'))
  if (running) return running
  return jobs.add({
    kind: 'demo', title: 'Make the demo dataset', lane: 'files', unit: 'images',
    work: async ({ signal, progress }) => {
      const made = await generateDemo({
        dir: project.demoDir, seed: SEED, ...size, signal,
        onProgress: ({ done, total }) => progress({ done, total: total * 2, message: `Drawing scenes: ${done.toLocaleString('en')} of ${total.toLocaleString('en')}` }),
      })
      await setImmediate()
      const result = await importDataset(project, {
        path: join(project.demoDir, 'annotations.json'), name: NAME, signal,
        onProgress: ({ images }) => progress({ done: made.images + images, total: made.images * 2, message: `Reading scenes: ${images.toLocaleString('en')} of ${made.images.toLocaleString('en')}` }),
      })
      db.run("INSERT OR REPLACE INTO project (key, value) VALUES ('demo', ?)", result.datasetId)
      events.emit({ type: 'datasets.changed' })
      onMade(result.datasetId)
      return result
    },
  })
}

/** Takes up at an opening what an earlier one was closed in: the scores of the demo that are still missing. */
export function continueDemo(context: Omit<EngineContext, 'makeDemo'>): void {
  const demo = context.db.get<{ id: string }>("SELECT d.id FROM project p JOIN datasets d ON d.id = p.value AND d.state = 'ready' WHERE p.key = 'demo'")
  if (demo) scoreDemo(context, demo.id)
}

/**
 * Scores the demo with the checkpoints that come with the program, so that Compare and the queue of suspects have something to
 * show; in the background, held-out scenes first.
 */
export function scoreDemo(context: Omit<EngineContext, 'makeDemo'>, datasetId: string): void {
  const shipped = context.db.all<{ id: string }>("SELECT id FROM checkpoints WHERE origin = 'shipped' ORDER BY created_at DESC, id DESC")
  for (const split of ['val', 'train']) {
    for (const { id } of shipped) if (lacksScores(context.db, datasetId, id, split)) queueScoring(context, { datasetId, checkpointId: id, splits: [split], background: true })
  }
}

function lacksScores(db: Db, datasetId: string, checkpointId: string, split: string): boolean {
  return db.get(
    `SELECT 1 FROM regions r WHERE r.dataset_id = ? AND r.split = ? AND r.deleted = 0 AND r.box_count > 0 AND r.phrase <> ''
     AND NOT EXISTS (SELECT 1 FROM scores s WHERE s.checkpoint_id = ? AND s.protocol = ? AND s.region_id = r.id) LIMIT 1`, datasetId, split, checkpointId, PROTOCOL,
  ) !== undefined
}
