/** Runs: presets, what a run would need, start, stop, resume, and everything the Train screen draws. */
import type { EngineContext, Handlers } from '../../engine/context.ts'
import { settingsOf } from '../../../shared/config/run-config.ts'
import type { Run } from '../../../shared/domain.ts'
import { AppError } from '../../../shared/errors.ts'
import { readLines } from '../../train/files.ts'
import { listPresets } from '../../train/presets.ts'
import { runPaths } from '../../train/run-folder.ts'
import { changedSince } from './corrections.ts'
import { dataChangesOf, snapshotOf } from './data.ts'
import { moveInQueue } from './queue.ts'
import { diskOf, removeRun } from './remove.ts'
import { metricsAfter, requireRun, type RunRow, setState, toRun } from './rows.ts'
import { createStarter } from './start-run.ts'
import { createTraining } from './train-job.ts'
import { startTrial } from './trial-job.ts'

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
  const starter = createStarter(context, training)
  return {
    presets: async () => (await listPresets()).map(({ name, config }) => ({
      name, title: config.title, summary: config.summary,
      settings: settingsOf(config).map(({ choices, ...setting }) => ({ ...setting, ...(choices ? { choices: [...choices] } : {}) })),
    })),
    estimate: async (input) => {
      const { plan, needs: { memoryProblem: _, ...needs }, problems } = await starter.plan(input)
      return { problems, trainRegions: plan.regions['train'] ?? 0, valRegions: plan.regions['val'] ?? 0, totalSteps: plan.totalSteps, ...needs }
    },
    start: starter.start,
    sweep: ({ run, axes }) => starter.sweep(run, axes),
    trial: (input) => startTrial(context, starter, input),
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
    snapshot: ({ id, offset, limit }) => snapshotOf(context, requireRun(db, id), offset, limit),
    changedSince: (input) => changedSince(context, input),
    dataChanges: ({ id }) => dataChangesOf(context, requireRun(db, id)),
    disk: ({ id }) => diskOf(context, requireRun(db, id)),
    remove: async ({ id }) => {
      const freedBytes = await removeRun(context, requireRun(db, id), training.holds)
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
