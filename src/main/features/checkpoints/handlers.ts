/** Checkpoints: list, import with an account of every key, rename, remove. */
import { mkdir, rm, stat } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import type { EngineContext, Handlers } from '../../engine/context.ts'
import { AppError } from '../../../shared/errors.ts'
import type { ConvertResult } from '../../compute/protocol.ts'
import { type CheckpointRow, requireCheckpoint, toCheckpoint } from '../../store/checkpoint-rows.ts'
import { newId } from '../../store/ids.ts'
import { hashOf, registerCheckpoint } from '../register-checkpoint.ts'
import { checkpointOfContent, checkpointOfSource, freeName, noteSource } from './known.ts'
import { keepAway } from './shipped.ts'

export function checkpointsHandlers({ db, project, events, interactive }: EngineContext): Handlers<'checkpoints'> {
  const changed = <T>(value: T): T => {
    events.emit({ type: 'checkpoints.changed' })
    return value
  }
  return {
    list: () => db.all<CheckpointRow>('SELECT * FROM checkpoints ORDER BY created_at DESC, id DESC').map(toCheckpoint),
    inspect: async ({ path, modelConfig }, call) => {
      const { keys, notes, ...rest } = await interactive.call('convert', { sourcePath: resolve(path), allowMissing: true, ...(modelConfig ? { modelConfig } : {}) }, call?.signal ? { signal: call.signal } : {})
      return { ...rest, keys: shown(keys), notes: [...notes] }
    },
    /** The weights are written into the project in our own form, so that the original may go and loading is quick. What is there already is used as it is. */
    import: async ({ path, name, modelConfig, allowMissing }, call) => {
      const source = resolve(path)
      const options = call?.signal ? { signal: call.signal } : {}
      const model = modelConfig ? { modelConfig } : {}
      // Other sizes make another model of the same file; then what comes of it decides.
      const sourceHash = modelConfig || !(await stat(source).catch(() => null))?.isFile() ? null : await hashOf(source)
      const known = sourceHash === null ? undefined : checkpointOfSource({ db, project }, sourceHash)
      if (known) {
        const report = keysOf(known) ?? shown((await interactive.call('convert', { sourcePath: source, allowMissing: true }, options)).keys)
        return { checkpoint: toCheckpoint(known), keys: report, notes: [isThere(known)] }
      }
      const folder = join(project.dir, 'checkpoints')
      await mkdir(folder, { recursive: true })
      const target = join(folder, `${newId('imported')}.safetensors`)
      try {
        const { keys, notes } = await interactive.call('convert', { sourcePath: source, targetPath: target, allowMissing: allowMissing ?? false, ...model }, options)
        const report = shown(keys)
        const hash = await hashOf(target)
        if (sourceHash !== null) noteSource(db, sourceHash, hash)
        const same = checkpointOfContent({ db, project }, hash)
        if (same) {
          await rm(target, { force: true })
          return { checkpoint: toCheckpoint(same), keys: report, notes: [isThere(same), ...notes] }
        }
        const wanted = name?.trim() || basename(source, extname(source))
        const free = freeName(db, wanted)
        const checkpoint = await registerCheckpoint(project, { path: target, name: free, origin: 'imported', keyReport: JSON.stringify(report) })
        return changed({ checkpoint, keys: report, notes: [...(free === wanted ? [] : [`Another checkpoint is called ${wanted} already; this one is called ${free}.`]), ...notes] })
      } catch (error) {
        await rm(target, { force: true })
        throw error
      }
    },
    keys: ({ id }) => ({ keys: keysOf(requireCheckpoint(db, id)) }),
    rename: ({ id, name }) => {
      const text = name.trim()
      if (!text) throw new AppError('bad-input', 'A checkpoint needs a name.', 'Type one.', 'name')
      requireCheckpoint(db, id)
      db.run('UPDATE checkpoints SET name = ? WHERE id = ?', text, id)
      return changed(toCheckpoint(requireCheckpoint(db, id)))
    },
    /** The file goes too, except one that comes with the program. */
    remove: async ({ id }) => {
      const row = requireCheckpoint(db, id)
      const user = db.get<{ name: string }>("SELECT name FROM runs WHERE start_checkpoint_id = ? AND state IN ('waiting', 'starting', 'training', 'pausing', 'paused', 'stopping')", id)
      if (user) throw new AppError('busy', `The run ${user.name} starts from this checkpoint.`, 'Stop the run first.', id)
      db.transaction(() => {
        db.run('DELETE FROM checkpoints WHERE id = ?', id)
        if (row.origin === 'shipped') keepAway(db, row.path)
      })
      const file = project.fromStored(row.path)
      if (row.origin !== 'shipped' && project.toStored(file) !== file) await rm(file, { force: true })
      return changed({})
    },
  }
}

const isThere = ({ name }: CheckpointRow): string => `This checkpoint is in the project already, as ${name}; it was not imported again.`

function keysOf({ key_report: report }: CheckpointRow): ReturnType<typeof shown> | null {
  return report === null ? null : (JSON.parse(report) as ReturnType<typeof shown>)
}

function shown(keys: ConvertResult['keys']) {
  return { loaded: keys.loaded, missing: [...keys.missing], unexpected: [...keys.unexpected], reshaped: [...keys.reshaped] }
}
