/** A run that was begun in one place goes on in another, where nothing of the first is left. */
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readInstalledRuntime } from '../../src/main/compute/backend.ts'
import { generateDemo } from '../../src/main/demo/generate.ts'
import { type EngineCore, openEngine } from '../../src/main/engine/engine.ts'
import { readArchive } from '../../src/main/features/archive/read-archive.ts'
import { writeArchive } from '../../src/main/features/archive/write-archive.ts'
import { importInto, temporaryFolder } from '../support/engine.ts'

const hasTensorFlow = readInstalledRuntime() !== null
const WAIT_MS = 240_000
const SMALL = { steps: 30, 'batch.images': 4, 'batch.phrases': 1, 'validation.images': 6, 'validation.probes': 2, 'validation.every': 10, 'save.every': 2 }

async function open(projectDir: string): Promise<EngineCore> {
  const engine = await openEngine({ projectDir })
  onTestFinished(() => engine.close())
  await engine.settled
  return engine
}
const state = async (engine: EngineCore, id: string) => (await engine.handlers.runs.get({ id })).state
const reach = (engine: EngineCore, id: string, wanted: string) => expect.poll(() => state(engine, id), { timeout: WAIT_MS, interval: 50 }).toBe(wanted)

test.skipIf(!hasTensorFlow).each(['outside', 'inside'])(`a run whose images lay %s its project is archived, restored elsewhere and goes on there${hasTensorFlow ? '' : ' (skipped: TensorFlow is not set up)'}`, async (where) => {
  const folder = await temporaryFolder()
  const projectDir = join(folder, 'first', 'project')
  const first = await open(projectDir)
  const images = where === 'inside' ? join(projectDir, 'demo') : join(folder, 'first', 'data')
  await generateDemo({ dir: images, seed: 3, train: 12, closeUps: 4, heldOut: 6 })
  const datasetId = await importInto(first, join(images, 'annotations.json'))
  const run = await first.handlers.runs.start({ preset: 'demo-amc', overrides: SMALL, datasetId })
  await expect.poll(async () => (await first.handlers.runs.get({ id: run.id })).step, { timeout: WAIT_MS, interval: 30 }).toBeGreaterThanOrEqual(2)
  await first.handlers.runs.stop({ id: run.id })
  await reach(first, run.id, 'stopped')
  const stopped = await first.handlers.runs.get({ id: run.id })
  const file = join(folder, 'project.zip')
  expect((await writeArchive(first.context.project, { out: file, version: '1', images: true, replace: false })).missing).toEqual([])
  await first.close()
  await rm(join(folder, 'first'), { recursive: true })

  const target = join(folder, 'second')
  await readArchive(file, target)
  const second = await open(target)
  expect(await second.handlers.runs.get({ id: run.id })).toMatchObject({ state: 'stopped', step: stopped.step })
  await second.handlers.runs.resume({ id: run.id })
  await reach(second, run.id, 'finished')
  const steps = (await second.handlers.runs.metrics({ id: run.id, afterStep: 0 })).map((row) => row.step)
  expect(steps).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
  const runDir = join(target, 'runs', run.id)
  expect(existsSync(join(runDir, 'places.jsonl'))).toBe(where === 'outside')
  if (where === 'inside') expect(await readFile(join(runDir, 'manifest.jsonl'), 'utf8')).not.toContain(join(folder, 'first'))
}, 900_000)
