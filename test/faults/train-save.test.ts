/** A process is killed at every point of saving a state: a whole one is always there. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeState } from '../../src/main/train/state-files.ts'
import { readNewest, stateOf } from '../support/states.ts'
import { temporaryFolder } from '../support/tiny-runs.ts'

const CHILD = join(import.meta.dirname, '../support/state-child.ts')

/** Whether the save came to its end. */
async function saveAndDie(folder: string, step: number, killAt: number): Promise<boolean> {
  const [code, signal] = (await once(fork(CHILD, [folder, String(step), String(killAt)]), 'exit')) as [number | null, string | null]
  if (signal !== 'SIGKILL') expect(code).toBe(0)
  return signal === null
}

test('kill -9 at any call to the file system while saving leaves the state before or the new one, whole; the next save works', async () => {
  const outcomes = new Map<number, number>()
  for (let killAt = 1; ; killAt++) {
    const folder = join(await temporaryFolder(), 'state')
    writeState(folder, stateOf(2))
    writeState(folder, stateOf(4))
    const finished = await saveAndDie(folder, 6, killAt)
    const notes: string[] = []
    const found = readNewest(folder, notes)!
    expect(found, `killed at call ${killAt}`).toEqual(stateOf(found.step))
    expect(finished ? [6] : [4, 6]).toContain(found.step)
    expect(notes).toEqual([]) // what stands under its name is whole: nothing has to be passed over
    outcomes.set(found.step, (outcomes.get(found.step) ?? 0) + 1)
    writeState(folder, stateOf(8))
    expect(readNewest(folder)).toEqual(stateOf(8))
    expect(readdirSync(folder).filter((name) => name.endsWith('.safetensors'))).toHaveLength(2)
    if (finished) break
    expect(killAt).toBeLessThan(60)
  }
  // Both happened: killed before the new one had its name, and after.
  expect(outcomes.get(4)).toBeGreaterThan(4)
  expect(outcomes.get(6)).toBeGreaterThan(1)
})
