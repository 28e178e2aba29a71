/** Looks into a project's database while the engine runs: what a story asserts must be on disk, not only on the screen. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Box } from '../../src/shared/geometry.ts'

export interface StoredRegion {
  readonly id: string
  readonly phrase: string
  readonly boxes: readonly Box[]
  readonly status: string
  readonly revision: number
}

export interface ProjectReader {
  readonly region: (id: string) => StoredRegion
  /** Phrase, boxes and status after each edit, oldest first. */
  readonly revisions: (regionId: string) => readonly { readonly label: string; readonly fields: { phrase: string; boxes: readonly Box[]; status: string } }[]
  readonly count: (sql: string, ...values: (string | number)[]) => number
  readonly rows: (sql: string, ...values: (string | number)[]) => readonly Record<string, unknown>[]
  readonly close: () => void
}

export function readProject(projectDir: string): ProjectReader {
  const db = new DatabaseSync(join(projectDir, 'project.sqlite'), { readOnly: true })
  const rows = (sql: string, ...values: (string | number)[]) => db.prepare(sql).all(...values) as Record<string, unknown>[]
  return {
    rows,
    region: (id) => {
      const row = rows('SELECT id, phrase, boxes, status, revision FROM regions WHERE id = ?', id)[0]
      if (!row) throw new Error(`The database has no region ${id}.`)
      return { ...row, boxes: JSON.parse(String(row['boxes'])) as Box[] } as unknown as StoredRegion
    },
    revisions: (regionId) =>
      rows('SELECT label, fields FROM revisions WHERE region_id = ? ORDER BY revision', regionId).map((row) => ({
        label: String(row['label']), fields: JSON.parse(String(row['fields'])) as { phrase: string; boxes: readonly Box[]; status: string },
      })),
    count: (sql, ...values) => Number(Object.values(rows(sql, ...values)[0]!)[0]),
    close: () => db.close(),
  }
}
