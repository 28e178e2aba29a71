/** Whether a checkpoint is in the project already, by its content: the same file imported twice would be two checkpoints of one name. */
import { existsSync } from 'node:fs'
import type { CheckpointRow } from '../../store/checkpoint-rows.ts'
import type { Db } from '../../store/db.ts'
import type { Project } from '../../store/project.ts'

/** The oldest with this content whose file is there. */
export function checkpointOfContent({ db, project }: { db: Db; project: Project }, sha256: string): CheckpointRow | undefined {
  return db.all<CheckpointRow>('SELECT * FROM checkpoints WHERE sha256 = ? ORDER BY created_at, id', sha256).find(({ path }) => existsSync(project.fromStored(path)))
}

const keyOf = (sourceHash: string): string => `imported ${sourceHash}`

/** What was made of a file of this content before; a .pth is written anew into the project, so its own hash is in no row. */
export function checkpointOfSource(parts: { db: Db; project: Project }, sourceHash: string): CheckpointRow | undefined {
  const before = parts.db.get<{ value: string }>('SELECT value FROM project WHERE key = ?', keyOf(sourceHash))
  return checkpointOfContent(parts, sourceHash) ?? (before && checkpointOfContent(parts, before.value))
}

/** @param sha256 of what the project holds of it */
export function noteSource(db: Db, sourceHash: string, sha256: string): void {
  db.run('INSERT OR REPLACE INTO project (key, value) VALUES (?, ?)', keyOf(sourceHash), sha256)
}

/** The name itself, or with the first number behind it that makes it the only one. */
export function freeName(db: Db, name: string): string {
  const isTaken = (wanted: string): boolean => db.get('SELECT 1 FROM checkpoints WHERE name = ?', wanted) !== undefined
  let free = name
  for (let n = 2; isTaken(free); n++) free = `${name} ${n}`
  return free
}
