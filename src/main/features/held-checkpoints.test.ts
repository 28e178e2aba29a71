import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createEvents } from '../engine/events.ts'
import { createJobs } from '../engine/jobs.ts'
import { openProject } from '../store/project.ts'
import { runPaths } from '../train/run-folder.ts'
import { noteLooked, tellHeld } from './held-checkpoints.ts'
import { queueScoring } from './scores/handlers.ts'

async function setUp() {
  const dir = mkdtempSync(join(tmpdir(), 'amc-held-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const project = openProject(join(dir, 'project'))
  onTestFinished(() => project.close())
  const { db } = project
  const events = createEvents()
  const jobs = createJobs(events)
  const paths = runPaths(join(project.runsDir, 'run'))
  await mkdir(paths.checkpoints, { recursive: true })
  db.run("INSERT INTO datasets (id, name, source, format, created_at, state) VALUES ('d1', 'Scenes', '/scenes', 'demo', '2026-01-01', 'ready')")
  db.run("INSERT INTO runs (id, number, name, preset, dataset_id, state, folder, config, step, total_steps, epoch, elapsed_seconds, created_at) VALUES ('run1', 1, 'Run 1', 'p', 'd1', 'training', ?, '{}', 30, 100, 0, 0, '')", project.toStored(paths.dir))
  for (const step of [10, 20, 30]) db.run("INSERT INTO checkpoints (id, name, origin, run_id, step, path, sha256, model_name, model_config, parameters, size_bytes, created_at, metrics, best) VALUES (?, ?, 'run', 'run1', ?, ?, '', 'm', ?, 1, 1, '', '{}', 0)", `c${step}`, `step ${step}`, step, `runs/run/${step}`, MODEL)
  const held = () => JSON.parse(readFileSync(paths.held, 'utf8')) as number[]
  return { context: { db, jobs, project, events }, held }
}

const MODEL = JSON.stringify({ name: 'm', mask_size: 8, gradcam_layer: 1, image: { depth: 2 }, text: { layers: 2, fusion_layer: 1 } })

test('a checkpoint is held while a scoring job is about it, waiting as well as running', async () => {
  const { context, held } = await setUp()
  const first = Promise.withResolvers<void>()
  // A run trains: scoring waits for its turn.
  const training = context.jobs.add({ kind: 'train', title: 'Run 1', lane: 'compute', work: () => first.promise })
  const worker = { call: () => Promise.reject(new Error('no model here')) } as never
  const job = queueScoring({ ...context, worker }, { datasetId: 'd1', checkpointId: 'c10' })
  expect(context.jobs.get(job.id).state).toBe('waiting')
  expect(held()).toEqual([10])
  first.resolve()
  await context.jobs.ended(training.id)
  await context.jobs.ended(job.id)
  await expect.poll(held).toEqual([])
})

test('those looked at last are held, and what an earlier engine held is told anew', async () => {
  const { context, held } = await setUp()
  tellHeld(context)
  expect(held()).toEqual([])
  for (const id of ['c20', 'c10', 'c20']) noteLooked(context, id)
  expect(held()).toEqual([10, 20])
  for (const id of ['x', 'y', 'z']) noteLooked(context, id)
  expect(held()).toEqual([20])
})
