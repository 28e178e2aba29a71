/**
 * The only file that sees better-sqlite3. Plain prepared statements instead of a query builder: better-sqlite3 is synchronous, so
 * a transaction is one function that nothing can interleave with, and the few dynamic queries are built in one place (region-filter.ts).
 */
import Database from 'better-sqlite3'
import { AppError } from '../../shared/errors.ts'

export type Value = string | number | bigint | null | Uint8Array
export interface Db {
  readonly file: string
  all<T>(sql: string, ...values: readonly Value[]): T[]
  get<T>(sql: string, ...values: readonly Value[]): T | undefined
  /** The first column alone: for a million row numbers, without an object for each. */
  column<T>(sql: string, ...values: readonly Value[]): T[]
  /** Rows as arrays of their columns, for the same reason. */
  arrays<T extends readonly unknown[]>(sql: string, ...values: readonly Value[]): T[]
  /** Rows one by one, for what does not fit in memory. Nothing else may run on this Db until it is finished. */
  each<T>(sql: string, ...values: readonly Value[]): IterableIterator<T>
  run(sql: string, ...values: readonly Value[]): { readonly changes: number }
  exec(sql: string): void
  /** All or nothing; on disk when it returns. Nested calls join the outer one as savepoints. */
  transaction<T>(work: () => T): T
  /** A copy as of the moment when it is done, made piece by piece: what is read and written meanwhile does not wait. */
  copyTo(target: string): Promise<void>
  close(): void
}

export interface OpenOptions {
  /** Milliseconds to wait for another process's lock. */
  readonly busyMs?: number
  /** Upper bound of the file in pages; for tests of a full disk. */
  readonly maxPages?: number
  /** Looks at the file before anything in it is changed, and may refuse it by throwing. */
  readonly inspect?: (db: Db) => void
}

const STATEMENTS_KEPT = 300
/** Four megabytes: a few milliseconds. */
const PAGES_AT_ONCE = 1000

/**
 * @throws AppError 'bad-input' when the file is not a database, 'locked' when another process writes, 'disk-full'
 */
export function openDatabase(file: string, options: OpenOptions = {}): Db {
  return told(file, () => {
    const database = new Database(file, { timeout: options.busyMs ?? 5000 })
    try {
      options.inspect?.(wrap(database, file))
      // FULL: an edit is on disk before it is acknowledged, even when the power fails a moment later.
      database.pragma('journal_mode = WAL')
      database.pragma('synchronous = FULL')
      database.pragma('foreign_keys = ON')
      database.pragma('cache_size = -65536')
      database.pragma('temp_store = MEMORY')
      database.pragma('journal_size_limit = 67108864')
      if (options.maxPages) database.pragma(`max_page_count = ${options.maxPages}`)
    } catch (error) {
      database.close()
      throw error
    }
    return wrap(database, file)
  })
}

function wrap(database: Database.Database, file: string): Db {
  const statements = new Map<string, Database.Statement>()
  const prepare = (sql: string, shape: 'rows' | 'column' | 'arrays' = 'rows'): Database.Statement => {
    const key = shape === 'rows' ? sql : `${shape} ${sql}`
    const known = statements.get(key)
    if (known) return known
    const statement = database.prepare(sql)
    if (shape === 'column') statement.pluck()
    if (shape === 'arrays') statement.raw()
    if (statements.size >= STATEMENTS_KEPT) statements.delete(statements.keys().next().value!)
    statements.set(key, statement)
    return statement
  }
  return {
    file,
    all: <T>(sql: string, ...values: readonly Value[]) => told(file, () => prepare(sql).all(...values) as T[]),
    get: <T>(sql: string, ...values: readonly Value[]) => told(file, () => prepare(sql).get(...values) as T | undefined),
    column: <T>(sql: string, ...values: readonly Value[]) => told(file, () => prepare(sql, 'column').all(...values) as T[]),
    arrays: <T extends readonly unknown[]>(sql: string, ...values: readonly Value[]) => told(file, () => prepare(sql, 'arrays').all(...values) as T[]),
    each: <T>(sql: string, ...values: readonly Value[]) => told(file, () => database.prepare(sql).iterate(...values) as IterableIterator<T>),
    run: (sql, ...values) => told(file, () => ({ changes: prepare(sql).run(...values).changes })),
    exec: (sql) => told(file, () => void database.exec(sql)),
    transaction: <T>(work: () => T) => told(file, () => database.transaction(work).immediate() as T),
    copyTo: async (target) => {
      try {
        await database.backup(target, { progress: () => PAGES_AT_ONCE })
      } catch (error) {
        throw explain(error, target)
      }
    },
    close: () => {
      statements.clear()
      database.close()
    },
  }
}

/** Takes the lock of a file and keeps it while the process lives: the system frees it even after kill -9. Null when somebody holds it. */
export function holdLock(file: string): { release(): void } | null {
  const database = new Database(file, { timeout: 0 })
  try {
    database.pragma('journal_mode = MEMORY')
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (codeOf(error).startsWith('SQLITE_BUSY')) return null
    throw explain(error, file)
  }
  return { release: () => database.close() }
}

function told<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw explain(error, file)
  }
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

/** SQLite's own failures in words; anything else as it is. */
function explain(error: unknown, file: string): unknown {
  const code = codeOf(error)
  if (!code.startsWith('SQLITE_')) return error
  const cause = { cause: error }
  if (code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_WRITE' || code === 'SQLITE_IOERR_SHMSIZE' || code === 'SQLITE_IOERR_FSYNC') {
    return new AppError('disk-full', 'The disk is full, so this was not saved. Everything saved before is safe.', 'Free space, then try again.', file, cause)
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new AppError('locked', 'Another program is writing to this project.', 'Close it, then try again.', file, cause)
  }
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
    return new AppError('bad-input', 'The project file is damaged or not a project.', 'Restore project.sqlite from a backup, or open another folder.', file, cause)
  }
  if (code === 'SQLITE_READONLY' || code.startsWith('SQLITE_READONLY_') || code === 'SQLITE_CANTOPEN' || code === 'SQLITE_PERM') {
    return new AppError('bad-input', 'The project file cannot be opened for writing.', 'Change the permissions of the folder, or choose another one.', file, cause)
  }
  return error
}
