/**
 * A project as it stands after training: the small demo, two runs with their kept checkpoints, and heat and scores for every one of them.
 * The heat is drawn by arithmetic; every fourth held-out region has an outline. The explanations of the second run are put to the test on val, by
 * the usual explainer, and the last one by gradient rollout too.
 */
import { join } from 'node:path'
import { bicubicPeak, prepareHeat, scoreRegion } from '../../src/shared/consistency.ts'
import { flattenConfig, parseRunConfig } from '../../src/shared/config/run-config.ts'
import type { TrustResult } from '../../src/shared/contract/trust.ts'
import { type Explainer, protocolOf } from '../../src/shared/explainers.ts'
import type { Box, Size } from '../../src/shared/geometry.ts'
import { writeSafetensors } from '../../src/main/checkpoints/safetensors.ts'
import { openEngine } from '../../src/main/engine/engine.ts'
import { registerCheckpoint } from '../../src/main/features/register-checkpoint.ts'
import { putScores, storeHeat } from '../../src/main/store/heat-rows.ts'
import { manifestSamples } from '../../src/main/store/manifest-rows.ts'
import { toShape } from '../../src/main/store/region-rows.ts'
import { freezeRun, runPaths } from '../../src/main/train/run-folder.ts'
import { fakeCompute } from './fake-compute.ts'
import { TINY } from './tiny-runs.ts'

export interface ComparedProject {
  readonly datasetId: string
  /** Weakest first: the start, then two of each run. */
  readonly checkpointIds: readonly string[]
  /** Of another architecture with another grid of heat, with a very long name, and without scores for every third region. */
  readonly otherId: string
}

const LONG_NAME = 'A checkpoint whose name tells the whole story of how it was trained, on which data, with which losses and for how long, so that nobody has to look it up'

/** How often each points into its box. */
const SKILL = [0.45, 0.55, 0.75, 0.7, 0.85, 0.6]
const [GRID, OTHER_GRID] = [12, 16]

export async function makeComparedProject(projectDir: string, demoDir: string): Promise<ComparedProject> {
  const engine = await openEngine({ projectDir, compute: () => fakeCompute() })
  await engine.settled
  const { db, project, jobs } = engine.context
  const imported = await jobs.ended((await engine.handlers.datasets.import({ path: demoDir, name: 'Demo scenes' })).id)
  const { datasetId } = imported.result as { datasetId: string }
  const checkpointIds = [await checkpoint('start', null, 0)]
  for (const [k, steps] of [300, 600].entries()) {
    const run = await addRun(k + 1, steps)
    // The second run saw an edited phrase and one region more.
    for (const step of [steps / 2, steps]) checkpointIds.push(await checkpoint(`Run ${k + 1} · step ${step}`, run, step))
  }
  const otherId = await checkpoint(LONG_NAME, null, 1, { ...TINY, name: 'tiny-other' })
  outlineSome()
  scoreAll()
  for (const k of [3, 4]) addTrust(k, { name: 'gradcam', target: 'itm', layer: TINY.gradcam_layer })
  addTrust(4, { name: 'gradient-rollout', target: 'itm', layer: TINY.text.layers - 1 })
  await engine.close()
  return { datasetId, checkpointIds, otherId }

  async function addRun(number: number, steps: number): Promise<string> {
    const id = `run-${number}`
    const dir = join(project.runsDir, id)
    const config = parseRunConfig({ title: `Run ${number}`, summary: '', model: 'tiny', steps, seed: number, loss: { amc: number === 1 ? 0 : 1 } })
    const samples = [...manifestSamples(db, { datasetId }, (stored) => project.fromStored(stored))].slice(0, 40).map((sample, i) => (number === 2 && i === 3 ? { ...sample, revision: 2, phrase: `${sample.phrase} indeed` } : sample))
    await freezeRun({ dir, config, modelConfig: TINY, samples: number === 1 ? samples.slice(1) : samples })
    db.run(
      `INSERT INTO runs (id, number, name, preset, dataset_id, state, folder, config, step, total_steps, epoch, elapsed_seconds, created_at) VALUES (?, ?, ?, 'demo-amc', ?, 'finished', ?, ?, ?, ?, ?, 60, ?)`,
      id, number, `Run ${number}`, datasetId, project.toStored(dir), JSON.stringify(flattenConfig(config)), steps, steps, steps / 100, new Date(0).toISOString(),
    )
    return id
  }

  async function checkpoint(name: string, runId: string | null, step: number, model = TINY): Promise<string> {
    const path = runId ? runPaths(join(project.runsDir, runId)).checkpoint(step) : join(project.dir, `${model.name}.safetensors`)
    writeSafetensors(path, new Map([['temp', { shape: [1], data: Float32Array.of(step) }]]), { 'amc.modelConfig': JSON.stringify(model), note: name })
    const made = await registerCheckpoint(project, { path, name, origin: runId ? 'run' : 'imported', step, ...(runId ? { runId } : {}) })
    return made.id
  }

  /** A diamond in the first box. */
  function outlineSome(): void {
    const regions = db.all<{ id: string; boxes: string }>("SELECT id, boxes FROM regions WHERE dataset_id = ? AND split = 'val' AND deleted = 0 AND position % 4 = 0", datasetId)
    for (const { id, boxes } of regions) {
      const outlines = (JSON.parse(boxes) as Box[]).map(([x1, y1, x2, y2], i) => (i > 0 ? [] : [(x1 + x2) / 2, y1, x2, (y1 + y2) / 2, (x1 + x2) / 2, y2, x1, (y1 + y2) / 2]))
      db.run('UPDATE regions SET outlines = ? WHERE id = ?', JSON.stringify(outlines), id)
    }
  }

  function addTrust(k: number, explainer: Explainer): void {
    const checkpointId = checkpointIds[k]!
    const curve = Array.from({ length: 11 }, (_, i) => 0.9 - 0.07 * i - 0.02 * k * (i % 3))
    const area = (values: readonly number[]) => values.slice(1).reduce((sum, value, i) => sum + (value + values[i]!) / 20, 0)
    const insertion = curve.map((_, i) => 0.15 + 0.075 * i - 0.01 * k * (i % 2))
    const result: TrustResult = {
      checkpointId, datasetId, viewId: null, split: 'val', explainer, protocol: protocolOf(TINY, explainer), measuredAt: new Date(k).toISOString(), samples: 32, of: 115, seed: 1, skipped: [],
      deletion: { area: area(curve), curve }, insertion: { area: area(insertion), curve: insertion },
      randomisation: ['the match head', 'fusion layer 1', 'the text encoder', 'the upper half of the image encoder', 'the whole image encoder'].map((stage, i) => ({ stage, correlation: 0.8 - 0.21 * i + 0.02 * k * (i % 2) })),
      shifts: { pixels: 8, correlation: 0.8 + 0.03 * k },
    }
    db.run('INSERT INTO trust (checkpoint_id, dataset_id, subject, explainer, measured_at, result) VALUES (?, ?, ?, ?, ?, ?)', checkpointId, datasetId, JSON.stringify([null, 'val']), result.protocol, result.measuredAt, JSON.stringify(result))
  }

  function scoreAll(): void {
    const regions = db.all<{ id: string; image_id: string; phrase: string; boxes: string; outlines: string; revision: number; width: number; height: number }>(
      "SELECT r.id, r.image_id, r.phrase, r.boxes, r.outlines, r.revision, i.width, i.height FROM regions r JOIN images i ON i.id = r.image_id WHERE r.dataset_id = ? AND r.split = 'val' AND r.deleted = 0", datasetId,
    )
    db.transaction(() => regions.forEach((region, i) => [...checkpointIds, otherId].forEach((checkpointId, k) => {
      if (checkpointId === otherId && i % 3 === 0) return
      const side = checkpointId === otherId ? OTHER_GRID : GRID
      const { boxes, outlines } = toShape(region)
      const grid = { width: side, height: side, values: blob(side, boxes[0]!, region, chance(i, 1), chance(i, 2 + k) < SKILL[k]!) }
      const peak = bicubicPeak(grid, region)
      const matchProbability = 0.5 + 0.4 * chance(i, 20 + k)
      storeHeat(db, { checkpointId, imageId: region.image_id, phrase: region.phrase, grid, peak, matchProbability, layer: 1, maskSize: 24, tokens: ['[CLS]'], truncated: false })
      putScores(db, { checkpointId, regionId: region.id, datasetId, revision: region.revision }, { ...scoreRegion(prepareHeat(grid, peak, 24), { boxes, outlines }, region), matchProbability })
    })))
  }
}

/** The same number for the same places. */
function chance(i: number, k: number): number {
  const x = Math.sin(i * 127.1 + k * 311.7) * 43_758.5453
  return x - Math.floor(x)
}

/** A round spot of heat, in the middle of the box or on the other side of the image. */
function blob(side: number, [x1, y1, x2, y2]: Box, image: Size, noise: number, inside: boolean): Float32Array<ArrayBuffer> {
  const [cx, cy] = [(x1 + x2) / 2 / image.width, (y1 + y2) / 2 / image.height]
  const [x, y] = inside ? [cx, cy] : [(cx + 0.5) % 1, (cy + 0.45) % 1]
  const spread = 0.008 + 0.04 * noise
  return Float32Array.from({ length: side * side }, (_, at) => Math.exp(-((((at % side) + 0.5) / side - x) ** 2 + ((Math.floor(at / side) + 0.5) / side - y) ** 2) / spread) + 0.03 * noise)
}
