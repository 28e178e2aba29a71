/** A checkpoint file that comes in more than once, and another of the same name. */
import { copyFile, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeSafetensors } from '../../src/main/checkpoints/safetensors.ts'
import { pickCheckpoint } from '../../src/main/cli/lookup.ts'
import { convertCheckpoint } from '../../src/main/compute/convert.ts'
import { parameterSpecs } from '../../src/main/model/params.ts'
import { fakeCompute, openTestEngine, temporaryFolder } from '../support/engine.ts'
import { TINY } from '../support/tiny-runs.ts'

test('is recognised by its content wherever it lies; another file of its name gets a number', async () => {
  const compute = fakeCompute()
  const converting = { ...compute, call: (method: string, request: never, options: never) => (method === 'convert' ? convertCheckpoint(request) : compute.call(method as never, request, options)) } as typeof compute
  const engine = await openTestEngine({ compute: () => converting })
  const folder = await temporaryFolder()
  const weights = (value: number) => new Map(parameterSpecs(TINY).map(({ name, shape }) => [name, { shape: [...shape], data: new Float32Array(shape.reduce((product, n) => product * n, 1)).fill(value) }] as const))
  const file = join(folder, 'mine.safetensors')
  writeSafetensors(file, weights(0.01), { 'amc.modelConfig': JSON.stringify(TINY), from: 'elsewhere' })
  const { handlers } = engine
  const before = (await handlers.checkpoints.list({})).length
  const notes: string[] = []
  const pick = (path: string) => pickCheckpoint(handlers, path, 'checkpoint', (text) => notes.push(text))

  const first = await pick(file)
  expect(first.name).toBe('mine')
  await copyFile(file, join(folder, 'copy.safetensors'))
  expect((await pick(file)).id).toBe(first.id)
  expect((await pick(join(folder, 'copy.safetensors'))).id).toBe(first.id)
  expect(notes.filter((text) => text === 'This checkpoint is in the project already, as mine; it was not imported again.')).toHaveLength(2)
  const again = await handlers.checkpoints.import({ path: file, name: 'Another name' })
  expect([again.checkpoint.id, again.keys]).toEqual([first.id, (await handlers.checkpoints.keys({ id: first.id })).keys])

  // The one that came with the program is known as it lies there.
  const shipped = (await handlers.checkpoints.list({})).find(({ origin }) => origin === 'shipped')!
  const comes = join(engine.context.programDir, 'resources', 'checkpoints', 'demo-with-amc.safetensors')
  expect((await pick(comes)).origin).toBe(shipped.origin)
  expect(await handlers.checkpoints.list({})).toHaveLength(before + 1)
  expect(await readdir(join(engine.context.project.dir, 'checkpoints'))).toHaveLength(1)

  await mkdir(join(folder, 'b'))
  writeSafetensors(join(folder, 'b', 'mine.safetensors'), weights(0.02), { 'amc.modelConfig': JSON.stringify(TINY) })
  const other = await handlers.checkpoints.import({ path: join(folder, 'b', 'mine.safetensors') })
  expect([other.checkpoint.name, other.notes[0]]).toEqual(['mine 2', 'Another checkpoint is called mine already; this one is called mine 2.'])

  // Removed, its file comes in anew.
  await handlers.checkpoints.remove({ id: first.id })
  expect(await pick(file)).toMatchObject({ name: 'mine', origin: 'imported' })
})
