/** The table in ARCHITECTURE.md and the rules that are enforced must say the same: a table that lies is worse than none. */
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..', '..')
const TOP = ['shared', 'preload', 'renderer']

/** @typedef {{path?: string | string[], pathNot?: string | string[], dependencyTypesNot?: string[], dependencyTypes?: string[], circular?: boolean, couldNotResolve?: boolean}} Side */
const rules = /** @type {{name: string, from: Side, to: Side}[]} */ (createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')).forbidden)

/** @param {string | string[] | undefined} patterns @param {string} path */
const matches = (patterns, path) => [patterns ?? []].flat().some((pattern) => new RegExp(pattern).test(path))

/** Whether a file may import another of our own, by the rules about paths. @param {string} from @param {string} to */
function allowed(from, to) {
  return !rules.some((rule) => rule.to.path && !rule.to.dependencyTypes && matches(rule.from.path, from) && !matches(rule.from.pathNot, from) && matches(rule.to.path, to) && !matches(rule.to.pathNot, to))
}

/** @param {string} folder */
const place = (folder) => (TOP.includes(folder) ? `src/${folder}` : `src/main/${folder}`)

/** Folder, and what its row says that it may import: whole folders, and single files of others. */
const rows = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8').split('\n').flatMap((line) => {
  const match = /^\| `([\w]+)` \|[^|]*\|([^|]*)\|$/.exec(line)
  if (!match) return []
  /** @type {Map<string, string[] | null>} */
  const may = new Map()
  for (const [, folder = '', files] of (match[2] ?? '').matchAll(/(\w+)(?: \(([^)]*)\))?/g)) may.set(folder, files ? files.split(', ') : null)
  return [{ folder: match[1] ?? '', may }]
})
const folders = rows.map(({ folder }) => folder)

it('has a row for every folder of the source', () => {
  const found = [...readdirSync(join(root, 'src', 'main'), { withFileTypes: true }), ...readdirSync(join(root, 'src'), { withFileTypes: true })]
  expect(folders.toSorted()).toEqual(found.filter((entry) => entry.isDirectory() && entry.name !== 'main').map(({ name }) => name).sort())
})

it.each(rows)('says of $folder what the rules say', ({ folder, may }) => {
  // The file of a folder that may do most.
  const from = { features: 'src/main/features/runs/handlers.ts', engine: 'src/main/engine/demo.ts' }[folder] ?? `${place(folder)}/some-file.ts`
  for (const other of folders.filter((name) => name !== folder)) {
    const files = readdirSync(join(root, place(other)), { withFileTypes: true }).filter((entry) => entry.isFile() && /(?<!\.test)\.tsx?$/.test(entry.name)).map(({ name }) => name.replace(/\.tsx?$/, ''))
    const permitted = files.filter((name) => allowed(from, `${place(other)}/${name}.ts`)).sort()
    const whole = allowed(from, `${place(other)}/a-file-of-no-special-name.ts`)
    const expected = may.get(other)
    expect({ other, whole }).toEqual({ other, whole: expected === null })
    if (!whole) expect({ other, permitted }).toEqual({ other, permitted: (expected ?? []).toSorted() })
  }
})
