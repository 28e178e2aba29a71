/** Starting runs: what stands against it, the folder of a run, its row, its place in the queue; one of them or a sweep over values. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineContext } from '../../engine/context.ts'
import { flattenConfig } from '../../../shared/config/run-config.ts'
import type { Run } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { requireCheckpoint } from '../../store/checkpoint-rows.ts'
import { newId } from '../../store/ids.ts'
import { manifestSamples } from '../../store/manifest-rows.ts'
import { resolveVocabulary } from '../../train/model-files.ts'
import { freezeRun } from '../../train/run-folder.ts'
import { estimateNeeds, type Needs, planRun, type Problem, type RunInput, type RunPlan } from './plan.ts'
import { requireRun } from './rows.ts'
import { type SweepAxis, sweepOf } from './sweep.ts'
import type { Training } from './train-job.ts'
import { stageRegions } from './view-stages.ts'

export interface FullPlan {
  readonly plan: RunPlan
  readonly needs: Needs
  readonly problems: Problem[]
}
/** A plan that nothing stands against. */
type GoodPlan = RunPlan & { readonly config: NonNullable<RunPlan['config']>; readonly modelConfig: NonNullable<RunPlan['modelConfig']> }

export interface Starter {
  /** What the page is told before a start is what decides at the start. */
  plan(input: RunInput): Promise<FullPlan>
  /** @throws AppError 'bad-input' or 'disk-full' that names the setting which stands against it */
  checked(input: RunInput): Promise<{ readonly plan: GoodPlan; readonly needs: Needs }>
  /** Writes the folder of a run. */
  freeze(dir: string, input: RunInput, plan: GoodPlan): Promise<void>
  start(input: RunInput): Promise<Run>
  /** A run for each combination of the values, all or none, named by their values. */
  sweep(input: RunInput, axes: readonly SweepAxis[]): Promise<Run[]>
}

export function createStarter(context: EngineContext, training: Training): Starter {
  const { db, project } = context
  const plan = async (input: RunInput): Promise<FullPlan> => {
    const planned = await planRun(context, input)
    const needs = await estimateNeeds(context, planned)
    return { plan: planned, needs, problems: [...planned.problems, ...needsProblems(needs)] }
  }
  const checked: Starter['checked'] = async (input) => {
    const { plan: planned, needs, problems } = await plan(input)
    const blocking = problems.find((problem) => problem.blocking)
    const { config, modelConfig } = planned
    if (!blocking && config && modelConfig) return { plan: { ...planned, config, modelConfig }, needs }
    const code = blocking?.key === DISK_KEY && !planned.problems.includes(blocking) ? 'disk-full' : 'bad-input'
    throw new AppError(code, blocking?.message ?? 'These settings cannot be used.', code === 'disk-full' ? 'Free space, or keep fewer checkpoints, then start again.' : 'Change this setting, then start again.', blocking?.key)
  }
  const freeze: Starter['freeze'] = async (dir, input, { config, modelConfig: sizes, filter, stages }) => {
    const start = input.startCheckpointId ? requireCheckpoint(db, input.startCheckpointId) : null
    const shown = stages.map((stage) => (stage ? stageRegions(db, filter, stage) : null))
    const stagesOf = (regionId: string): number[] => shown.flatMap((ids, stage) => (ids?.has(regionId) ? [stage] : []))
    const samples = () => manifestSamples(db, filter, (stored) => project.fromStored(stored), { sql: "r.split IN ('train', 'val')", values: [] }, { stagesOf })
    const modelConfig = start ? sizes : await resolveVocabulary(sizes, phrasesOf(samples()))
    await freezeRun({ dir, config, modelConfig, samples: samples(), ...(start ? { startCheckpoint: project.fromStored(start.path) } : {}) })
  }
  const begin = async (input: RunInput, planned: GoodPlan): Promise<Run> => {
    const id = newId('run')
    const dir = join(project.runsDir, id)
    try {
      await freeze(dir, input, planned)
      const row = db.transaction(() => {
        const { number } = db.get<{ number: number }>('SELECT coalesce(max(number), 0) + 1 AS number FROM runs')!
        db.run(
          `INSERT INTO runs (id, number, name, preset, dataset_id, view_id, start_checkpoint_id, state, folder, config, step, total_steps, epoch, elapsed_seconds, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, 0, ?, 0, 0, ?)`,
          id, number, input.name?.trim() || `Run ${number}`, input.preset, input.datasetId, input.viewId ?? null, input.startCheckpointId ?? null, project.toStored(dir),
          JSON.stringify(flattenConfig(planned.config)), planned.totalSteps, new Date().toISOString(),
        )
        return requireRun(db, id)
      })
      return training.queue(row, false)
    } catch (error) {
      if (!db.get('SELECT 1 FROM runs WHERE id = ?', id)) await rm(dir, { recursive: true, force: true })
      throw error
    }
  }
  return {
    plan, checked, freeze,
    start: async (input) => begin(input, (await checked(input)).plan),
    sweep: async (input, axes) => {
      const wanted: { readonly input: RunInput; readonly plan: GoodPlan; readonly needs: Needs }[] = []
      for (const { name, overrides } of sweepOf(axes)) {
        const one = { ...input, name: input.name?.trim() ? `${input.name.trim()}: ${name}` : name, overrides: { ...input.overrides, ...overrides } }
        wanted.push({ input: one, ...(await checked(one)) })
      }
      const disk = needsProblems({ ...wanted[0]!.needs, diskBytes: wanted.reduce((sum, { needs }) => sum + (needs.diskBytes ?? 0), 0), memoryProblem: null })
      if (disk[0]) throw new AppError('disk-full', disk[0].message, 'Free space, keep fewer checkpoints, or try fewer values.', disk[0].key)
      const runs: Run[] = []
      for (const one of wanted) runs.push(await begin(one.input, one.plan))
      return runs
    },
  }
}

const DISK_KEY = 'save.keep'

/** What this machine has not enough of just now. */
function needsProblems({ memoryProblem, diskBytes, diskAvailableBytes }: Needs): Problem[] {
  const problems: Problem[] = memoryProblem ? [memoryProblem] : []
  if (diskBytes !== null && diskBytes > diskAvailableBytes) {
    const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB`
    problems.push({ key: DISK_KEY, blocking: true, message: `The disk has not enough room for the checkpoints of this run: it needs ${megabytes(diskBytes)}, and ${megabytes(diskAvailableBytes)} are free.` })
  }
  return problems
}

function* phrasesOf(samples: Iterable<{ readonly phrase: string }>): Generator<string> {
  for (const { phrase } of samples) yield phrase
}
