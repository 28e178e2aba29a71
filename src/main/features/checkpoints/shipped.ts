/** The checkpoints that come with the program, so that the first start shows live heatmaps at once. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineContext } from '../../engine/context.ts'
import { toErrorData } from '../../../shared/errors.ts'
import type { Db } from '../../store/db.ts'
import type { CheckpointRow } from '../../store/checkpoint-rows.ts'
import { registerCheckpoint } from '../register-checkpoint.ts'

const NAMES: Readonly<Record<string, string>> = { 'demo-with-amc': 'Demo, with AMC', 'demo-without-amc': 'Demo, without AMC' }

/** Registers what is in the folder but for what was removed; what is broken is told in the log and left out. Returns how many are there. */
export async function registerShipped({ project, db, events }: EngineContext, folder: string): Promise<number> {
  const files = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.safetensors')).sort().reverse() // the last one counts as the newest: the one with AMC
  let count = 0
  for (const file of files) {
    const path = join(folder, file)
    const stem = file.slice(0, -'.safetensors'.length)
    if (isKeptAway(db, project.toStored(path))) continue
    try {
      const known = db.get<CheckpointRow>('SELECT * FROM checkpoints WHERE path = ?', project.toStored(path))
      await registerCheckpoint(project, { path, name: known?.name ?? NAMES[stem] ?? stem, origin: 'shipped', metrics: await metricsBeside(join(folder, `${stem}.json`)) })
      count++
    } catch (error) {
      console.error(`The checkpoint ${file} that comes with the program cannot be used: ${toErrorData(error).message}`)
    }
  }
  if (count > 0) events.emit({ type: 'checkpoints.changed' })
  return count
}

const keyOf = (stored: string): string => `removed ${stored}`

/** One that somebody removed from the list stays away at the next start. It can still be imported as a file. */
export function keepAway(db: Db, stored: string): void {
  db.run("INSERT OR REPLACE INTO project (key, value) VALUES (?, '')", keyOf(stored))
}

function isKeptAway(db: Db, stored: string): boolean {
  return db.get('SELECT 1 FROM project WHERE key = ?', keyOf(stored)) !== undefined
}

/** Numbers of the file's "metrics" only: whatever else stands there is for people. */
async function metricsBeside(path: string): Promise<Record<string, number>> {
  try {
    const { metrics } = JSON.parse(await readFile(path, 'utf8')) as { metrics?: Record<string, unknown> }
    return Object.fromEntries(Object.entries(metrics ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === 'number' && Number.isFinite(entry[1])))
  } catch {
    return {}
  }
}
