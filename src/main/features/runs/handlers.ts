/** Runs: presets, what a run would need, start, stop, resume, and everything the Train screen draws. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineContext, Handlers } from '../../engine/context.ts'
import { flattenConfig, settingsOf } from '../../../shared/config/run-config.ts'
import type { Run } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { requireCheckpoint } from '../../store/checkpoint-rows.ts'
import { newId } from '../../store/ids.ts'
import { manifestSamples } from '../../store/manifest-rows.ts'
import { readLines } from '../../train/files.ts'
import { resolveVocabulary } from '../../train/model-files.ts'
import { listPresets } from '../../train/presets.ts'
import { freezeRun, runPaths } from '../../train/run-folder.ts'
import { estimateNeeds, type Needs, planRun, type Problem, type RunInput } from './plan.ts'
import { moveInQueue } from './queue.ts'
import { diskOf, removeRun } from './remove.ts'
import { metricsAfter, requireRun, type RunRow, setState, toRun } from './rows.ts'
import { createTraining } from './train-job.ts'
import { stageRegions } from './view-stages.ts'

type Probes = Awaited<ReturnType<Handlers<'runs'>['probes']>>
/** A line of probes.jsonl. */
interface ProbeLine {
  readonly step: number
  readonly heat: readonly (Probes['samples'][number] & Probes['frames'][number]['heat'][number])[]
}

export function runsHandlers(context: EngineContext): Handlers<'runs'> {
  const { db, project } = context
  const training = createTraining(context)
  const announce = (run: Run): Run => {
    context.events.emit({ type: 'run.progressed', run })
    return run
  }
  const pathsOf = (row: RunRow) => runPaths(project.fromStored(row.folder))
  /** What the page is told before a start is what decides at the start. */
  const planWithNeeds = async (input: RunInput) => {
    const plan = await planRun(context, input)
    const needs = await estimateNeeds(context, plan)
    return { plan, needs, problems: [...plan.problems, ...needsProblems(needs)] }
  }
  return {
    presets: async () => (await listPresets()).map(({ name, config }) => ({
      name, title: config.title, summary: config.summary,
      settings: settingsOf(config).map(({ choices, ...setting }) => ({ ...setting, ...(choices ? { choices: [...choices] } : {}) })),
    })),
    estimate: async (input) => {
      const { plan, needs: { memoryProblem: _, ...needs }, problems } = await planWithNeeds(input)
      return { problems, trainRegions: plan.regions['train'] ?? 0, valRegions: plan.regions['val'] ?? 0, totalSteps: plan.totalSteps, ...needs }
    },
    start: async (input) => {
      const { plan, problems } = await planWithNeeds(input)
      const blocking = problems.find((problem) => problem.blocking)
      if (blocking || !plan.config || !plan.modelConfig) {
        const code = blocking?.key === DISK_KEY && !plan.problems.includes(blocking) ? 'disk-full' : 'bad-input'
        throw new AppError(code, blocking?.message ?? 'These settings cannot be used.', code === 'disk-full' ? 'Free space, or keep fewer checkpoints, then start again.' : 'Change this setting, then start again.', blocking?.key)
      }
      const id = newId('run')
      const dir = join(project.runsDir, id)
      const start = input.startCheckpointId ? requireCheckpoint(db, input.startCheckpointId) : null
      const shown = plan.stages.map((stage) => (stage ? stageRegions(db, plan.filter, stage) : null))
      const stagesOf = (regionId: string): number[] => shown.flatMap((ids, stage) => (ids?.has(regionId) ? [stage] : []))
      const samples = () => manifestSamples(db, plan.filter, (stored) => project.fromStored(stored), { sql: "r.split IN ('train', 'val')", values: [] }, { stagesOf })
      try {
        const modelConfig = start ? plan.modelConfig : await resolveVocabulary(plan.modelConfig, phrasesOf(samples()))
        await freezeRun({ dir, config: plan.config, modelConfig, samples: samples(), ...(start ? { startCheckpoint: project.fromStored(start.path) } : {}) })
        const row = db.transaction(() => {
          const { number } = db.get<{ number: number }>('SELECT coalesce(max(number), 0) + 1 AS number FROM runs')!
          db.run(
            `INSERT INTO runs (id, number, name, preset, dataset_id, view_id, start_checkpoint_id, state, folder, config, step, total_steps, epoch, elapsed_seconds, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, 0, ?, 0, 0, ?)`,
            id, number, input.name?.trim() || `Run ${number}`, input.preset, input.datasetId, input.viewId ?? null, input.startCheckpointId ?? null, project.toStored(dir),
            JSON.stringify(flattenConfig(plan.config!)), plan.totalSteps, new Date().toISOString(),
          )
          return requireRun(db, id)
        })
        return training.queue(row, false)
      } catch (error) {
        if (!db.get('SELECT 1 FROM runs WHERE id = ?', id)) await rm(dir, { recursive: true, force: true })
        throw error
      }
    },
    stop: ({ id }) => {
      const row = requireRun(db, id)
      const shown = training.shown(toRun(row))
      if (!training.stop(id)) {
        if (shown.state !== 'paused' && shown.state !== 'waiting') throw new AppError('conflict', `${row.name} is not running.`, 'Look at the list of runs.', id)
        return announce(setState(db, id, 'stopped'))
      }
      return training.shown(toRun(requireRun(db, id)))
    },
    pause: ({ id }) => {
      const row = requireRun(db, id)
      if (!training.pause(id)) {
        // Where no engine has taken up the queue, a waiting run is only a row.
        if (row.state !== 'waiting') throw new AppError('conflict', `${row.name} is not running.`, 'Look at the list of runs.', id)
        return announce(setState(db, id, 'paused'))
      }
      return training.shown(toRun(requireRun(db, id)))
    },
    move: ({ id, index }) => {
      for (const row of moveInQueue(db, id, index)) announce(training.shown(toRun(row)))
      return training.shown(toRun(requireRun(db, id)))
    },
    edit: ({ id, name, note, tags }) => {
      const row = requireRun(db, id)
      const tidy = tags ? [...new Set(tags.map((tag) => tag.trim()).filter((tag) => tag !== ''))] : (JSON.parse(row.tags) as string[])
      db.run('UPDATE runs SET name = ?, note = ?, tags = ? WHERE id = ?', name?.trim() || row.name, note ?? row.note, JSON.stringify(tidy), id)
      return announce(training.shown(toRun(requireRun(db, id))))
    },
    disk: ({ id }) => diskOf(context, requireRun(db, id)),
    remove: async ({ id }) => {
      const row = requireRun(db, id)
      if (training.holds(id)) throw new AppError('busy', `${row.name} is in the queue or under way.`, 'Stop it first.', id)
      const freedBytes = await removeRun(context, row)
      context.events.emit({ type: 'run.removed', runId: id })
      context.events.emit({ type: 'checkpoints.changed' })
      return { freedBytes }
    },
    resume: ({ id }) => {
      const row = requireRun(db, id)
      if (training.holds(id)) throw new AppError('conflict', `${row.name} is in the queue already.`, 'Look at the list of runs.', id)
      if (training.shown(toRun(row)).state === 'finished') throw new AppError('conflict', `${row.name} has finished.`, 'Start a new run from its checkpoint to train longer.', id)
      return training.queue(requireRun(db, id), true)
    },
    list: () => db.all<RunRow>('SELECT * FROM runs ORDER BY number DESC').map((row) => training.shown(toRun(row))),
    get: ({ id }) => training.shown(toRun(requireRun(db, id))),
    metrics: ({ id, afterStep }) => metricsAfter(db, requireRun(db, id).id, afterStep),
    probes: async ({ id }) => {
      const lines = await readLines<ProbeLine>(pathsOf(requireRun(db, id)).probes)
      const samples = (lines.at(-1)?.heat ?? []).map(({ regionId, imageId, phrase, boxes, outlines = [], width, height }) => ({ regionId, imageId, phrase, boxes: [...boxes], outlines, width, height }))
      const frames = lines.map(({ step, heat }) => ({ step, heat: heat.map(({ grid, peak, insideEnergy, pointingHit }) => ({ grid, peak, insideEnergy, pointingHit })) }))
      return { samples, frames }
    },
    log: async ({ id }) => readLines<{ at: string; text: string }>(pathsOf(requireRun(db, id)).log),
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
