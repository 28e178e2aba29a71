import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { contentHash, makeFolderWhole, readJson, writeWhole } from './files.mjs'
import { scratch } from './trial.mjs'

/** @type {ReturnType<typeof scratch>} */
let place
beforeEach(() => (place = scratch('files')))
afterEach(() => place.remove())

describe('content hash', () => {
  const hash = () => contentHash(place.dir, ['src', 'config'], (path) => !path.endsWith('.md'))
  beforeEach(() => {
    mkdirSync(join(place.dir, 'src'))
    writeFileSync(join(place.dir, 'src', 'a.ts'), 'one')
  })

  it('stays when nothing changed, and for files that do not count', () => {
    const before = hash()
    writeFileSync(join(place.dir, 'src', 'notes.md'), 'words')
    expect(hash()).toBe(before)
  })

  it.each([
    ['a content', () => writeFileSync(join(place.dir, 'src', 'a.ts'), 'two')],
    ['a new file', () => writeFileSync(join(place.dir, 'src', 'b.ts'), '')],
    ['a file that was absent', () => writeFileSync(join(place.dir, 'config'), '')],
  ])('changes with %s', (_what, change) => {
    const before = hash()
    change()
    expect(hash()).not.toBe(before)
  })

  it('tells a moved border between two files', () => {
    writeFileSync(join(place.dir, 'src', 'b.ts'), 'xy')
    const before = hash()
    writeFileSync(join(place.dir, 'src', 'a.ts'), 'onex')
    writeFileSync(join(place.dir, 'src', 'b.ts'), 'y')
    expect(hash()).not.toBe(before)
  })
})

describe('whole or not at all', () => {
  it('leaves the old file and no leftover when writing fails', () => {
    const path = join(place.dir, 'note.json')
    writeWhole(path, '{"a":1}')
    expect(() => writeWhole(path, /** @type {any} */ (Symbol('not data')))).toThrow()
    expect(readJson(path)).toEqual({ a: 1 })
    expect(readdirSync(place.dir)).toEqual(['note.json'])
  })

  it('reads a torn or absent note as none', () => {
    writeFileSync(join(place.dir, 'torn.json'), '{"a":')
    expect(readJson(join(place.dir, 'torn.json'))).toBeNull()
    expect(readJson(join(place.dir, 'absent.json'))).toBeNull()
  })

  it('an interrupted folder never gets its name, and the next attempt recovers', async () => {
    const folder = join(place.dir, 'libraries')
    // What a killed process leaves: a temporary folder with a number of a process that is gone.
    mkdirSync(`${folder}.tmp-999999999-1`)
    await expect(
      makeFolderWhole(folder, async (temporary) => {
        writeFileSync(join(temporary, 'half'), 'x')
        throw new Error('interrupted')
      }),
    ).rejects.toThrow('interrupted')
    expect(readdirSync(place.dir)).toEqual([])
    await makeFolderWhole(folder, async (temporary) => writeFileSync(join(temporary, 'whole'), 'x'))
    expect(readdirSync(folder)).toEqual(['whole'])
  })

  it('leaves the folder of a process that still lives alone', async () => {
    const other = `${join(place.dir, 'libraries')}.tmp-${process.ppid}-1`
    mkdirSync(other)
    await makeFolderWhole(join(place.dir, 'libraries'), async () => {})
    expect(existsSync(other)).toBe(true)
    // After days it is no set-up's, whoever has that number now.
    utimesSync(other, 1e9, 1e9)
    await makeFolderWhole(join(place.dir, 'libraries'), async () => {})
    expect(existsSync(other)).toBe(false)
  })

  it('takes its own number for that of a process before it, unless it fills that folder itself', async () => {
    const folder = join(place.dir, 'libraries')
    mkdirSync(`${folder}.tmp-${process.pid}-999999`)
    await makeFolderWhole(folder, async (outer) => {
      writeFileSync(join(outer, 'mine'), 'x')
      await makeFolderWhole(folder, async () => {})
      expect(readdirSync(place.dir)).not.toContain(`libraries.tmp-${process.pid}-999999`)
      expect(readdirSync(outer)).toEqual(['mine'])
    })
  })
})
