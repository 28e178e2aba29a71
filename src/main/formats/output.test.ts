import { chmod, mkdir, mkdtemp, open, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { stage } from './output.ts'

let folder: string
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'amc-output-'))))
afterEach(() => rm(folder, { recursive: true, force: true }))

test.skipIf(process.platform !== 'linux')('what was written, copied images included, is on disk before it gets its name (skipped where the system does not tell which file is synced)', async () => {
  const handle = await open(join(folder, 'x'), 'w')
  const prototype = Object.getPrototypeOf(handle) as typeof handle
  await handle.close()
  const { sync } = prototype
  const synced: string[] = []
  vi.spyOn(prototype, 'sync').mockImplementation(async function (this: typeof handle) {
    synced.push(basename(await readlink(`/proc/self/fd/${this.fd}`)))
    return sync.call(this)
  })
  try {
    await mkdir(join(folder, 'from'))
    for (const name of ['a.png', 'b.png']) await writeFile(join(folder, 'from', name), name)
    await chmod(join(folder, 'from', 'b.png'), 0o444)
    const out = await stage(join(folder, 'out'), { onlyFile: null, replace: false })
    const text = await out.create('annotations.json')
    await text.write('[]')
    await text.close()
    for (const name of ['a.png', 'b.png']) await out.copy(join(folder, 'from', name), `images/train/${name}`)
    await out.commit()
  } finally {
    vi.restoreAllMocks()
  }
  expect(synced.map((name) => (name.startsWith('.out.part-') ? 'out' : name)).sort()).toEqual(['a.png', 'annotations.json', 'b.png', 'images', 'out', basename(folder), 'train'].sort())
  expect(await readFile(join(folder, 'out', 'images', 'train', 'b.png'), 'utf8')).toBe('b.png')
})

test.skipIf(process.platform === 'win32')('a folder that is made has the permissions of any new folder', async () => {
  await mkdir(join(folder, 'usual'))
  const out = await stage(join(folder, 'out'), { onlyFile: null, replace: false })
  await out.commit()
  expect((await stat(join(folder, 'out'))).mode).toBe((await stat(join(folder, 'usual'))).mode)
})
