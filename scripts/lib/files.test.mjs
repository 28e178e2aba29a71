import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { contentHash, makeFolderWhole, readJson, writeWhole } from './files.mjs'
import { withLock } from './lock.mjs'
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
  })
})

describe('the set-up lock', () => {
  it('lets one work at a time', async () => {
    const path = join(place.dir, 'lock')
    /** @type {string[]} */
    const order = []
    const work = (/** @type {string} */ name) => async () => {
      order.push(`${name} in`)
      await new Promise((done) => setTimeout(done, 30))
      order.push(`${name} out`)
    }
    await Promise.all([withLock(path, () => {}, work('a'), { pollMs: 5 }), withLock(path, () => {}, work('b'), { pollMs: 5 })])
    expect(order).toEqual(['a in', 'a out', 'b in', 'b out'])
  })

  it('takes over from a process that was killed, and from a cut-off lock file', async () => {
    for (const left of ['999999999', '']) {
      const path = join(place.dir, 'lock')
      writeFileSync(path, left)
      expect(await withLock(path, () => {}, async () => readFileSync(path, 'utf8'))).toBe(String(process.pid))
    }
  })

  it('is released when the work fails', async () => {
    const path = join(place.dir, 'lock')
    await expect(withLock(path, () => {}, async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(existsSync(path)).toBe(false)
  })
})
