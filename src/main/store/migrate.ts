/** Brings a project file to this program's schema: numbered steps, each in a transaction, never backwards, a copy kept before. */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { AppError } from '../../shared/errors.ts'
import type { Db } from './db.ts'
import * as first from './migrations/0001-first.ts'
import * as activity from './migrations/0002-activity.ts'
import * as runView from './migrations/0003-run-view.ts'
import * as outlines from './migrations/0004-outlines.ts'
import * as explainers from './migrations/0005-explainers.ts'
import * as records from './migrations/0006-records.ts'
import * as search from './migrations/0007-search.ts'
import * as review from './migrations/0008-review.ts'
import * as runQueue from './migrations/0009-run-queue.ts'
import * as suspicion from './migrations/0010-suspicion.ts'
import * as stack from './migrations/0011-stack.ts'
import * as prints from './migrations/0012-prints.ts'

export interface Migration {
  readonly version: number
  readonly sql: string
}

/** Monotonic; a landed one is never edited. */
export const MIGRATIONS: readonly Migration[] = [first, activity, runView, outlines, explainers, records, search, review, runQueue, suspicion, stack, prints]
/** Marks the file as ours ("AMCW"), so that another program's database is not taken for a project. */
export const APPLICATION_ID = 0x414d4357

/**
 * Only reads.
 * @throws AppError 'newer-version' for a project of a newer program, 'bad-input' for a database of another program
 */
export function refuseForeign(db: Db, migrations: readonly Migration[] = MIGRATIONS): void {
  const latest = migrations.at(-1)!.version
  const found = pragma(db, 'user_version')
  const foreign = pragma(db, 'application_id') !== APPLICATION_ID && db.get('SELECT 1 FROM sqlite_schema LIMIT 1') !== undefined
  if (foreign) throw new AppError('bad-input', 'This database belongs to another program. Nothing was changed.', 'Choose another project folder.', db.file)
  if (found > latest) {
    throw new AppError(
      'newer-version', `This project was written by a newer version of the program (schema ${found}; this one knows ${latest}). Nothing was changed.`,
      'Update the program, then open it again.', db.file,
    )
  }
}

/**
 * @returns the path of the copy made of an older project, or null when none was needed
 * @throws AppError 'newer-version' for a project of a newer program, 'bad-input' for a database of another program
 */
export function migrate(db: Db, migrations: readonly Migration[] = MIGRATIONS): string | null {
  refuseForeign(db, migrations)
  const from = pragma(db, 'user_version')
  const pending = migrations.filter((migration) => migration.version > from)
  if (pending.length === 0) return null
  const copy = from > 0 ? keepCopy(db, from) : null
  for (const migration of pending) {
    db.transaction(() => {
      db.exec(migration.sql)
      db.exec(`PRAGMA user_version = ${migration.version}; PRAGMA application_id = ${APPLICATION_ID}`)
    })
  }
  return copy
}

function keepCopy(db: Db, version: number): string {
  const target = `${db.file}.before-${version + 1}`
  if (existsSync(target)) return target // from an earlier attempt at the same step: it is the older state, so keep that one
  const part = `${target}.part`
  rmSync(part, { force: true })
  db.run('VACUUM INTO ?', part)
  renameSync(part, target)
  return target
}

function pragma(db: Db, name: string): number {
  return Object.values(db.get<Record<string, number>>(`PRAGMA ${name}`)!)[0]!
}
