import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { savedStepIn, statePath, stateSteps, writeState } from './state-files.ts'
import { limitDisk } from '../../../test/support/full-disk.ts'
import { readNewest, stateOf } from '../../../test/support/states.ts'
import { temporaryFolder } from '../../../test/support/tiny-runs.ts'

let folder: string
beforeEach(async () => {
  folder = join(await temporaryFolder(), 'state')
})

const write = (step: number): void => writeState(folder, stateOf(step))
const read = (notes?: string[]) => readNewest(folder, notes)

test('the newest two are kept, and the newest is read', () => {
  expect([read(), savedStepIn(folder)]).toEqual([null, 0])
  for (const step of [2, 4, 10, 12]) write(step)
  expect(stateSteps(folder)).toEqual([12, 10])
  expect(read()).toEqual(stateOf(12))
  expect(savedStepIn(folder)).toBe(12)
})

test('a step that is saved again takes the place of what it was', () => {
  for (const step of [2, 4, 4]) write(step)
  expect(stateSteps(folder)).toEqual([4, 2])
})

describe('a state that is not whole is passed over, with a sentence', () => {
  test.each([
    { name: 'cut short', says: 'cut short', damage: (path: string) => truncateSync(path, readFileSync(path).length - 100), headerTells: true },
    { name: 'empty', says: 'header', damage: (path: string) => writeFileSync(path, ''), headerTells: true },
    { name: 'zeros from the middle on', says: 'changed since', damage: (path: string) => writeFileSync(path, readFileSync(path).fill(0, 15_000)), headerTells: false },
    { name: 'one bit turned', says: 'changed since', damage: (path: string) => flip(path, 9000), headerTells: false },
    { name: 'another file', says: 'header', damage: (path: string) => writeFileSync(path, 'x'.repeat(30_000)), headerTells: true },
  ])('$name', ({ says, damage, headerTells }) => {
    for (const step of [2, 4]) write(step)
    damage(statePath(folder, 4))
    const notes: string[] = []
    expect(read(notes)).toEqual(stateOf(2))
    expect(notes).toEqual([expect.stringMatching(new RegExp(`^The state saved after step 4 cannot be read, so the one before it is used: .*${says}`))])
    if (headerTells) expect(savedStepIn(folder)).toBe(2)
    // Going on from it, the damaged one is written over and the good one stays.
    write(4)
    expect(read()).toEqual(stateOf(4))
  })

  test('when none is left, it is an error and not a new beginning', () => {
    write(2)
    writeFileSync(statePath(folder, 2), '')
    expect(() => read()).toThrow(expect.objectContaining({ code: 'bad-input', message: expect.stringContaining('after step 2') }))
  })
})

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at]! ^= 4
  writeFileSync(path, bytes)
}

describe('a full disk', () => {
  test('where there is an older state it gives way, and the new one is written', () => {
    for (const step of [2, 4]) write(step)
    limitDisk(10_000, 25_000)
    write(6)
    expect(stateSteps(folder)).toEqual([6, 4])
    expect(read()).toEqual(stateOf(6))
  })

  test('else the last state stays whole, and the error tells what is safe and what to do', async () => {
    write(2)
    limitDisk(10_000, 25_000)
    expect(() => write(4)).toThrow(expect.objectContaining({
      code: 'disk-full',
      message: 'The disk is full, so the state after step 4 could not be saved. The state after step 2 is whole.',
      cure: 'Free at least 1 MB, then resume the run: it goes on from step 2 and comes to the same result.',
    }))
    expect(read()).toEqual(stateOf(2))
    expect(await readdir(folder)).toEqual(['step-2.safetensors'])
  })

  test('with nothing saved before, it says so', async () => {
    await mkdir(folder)
    limitDisk(100, 0)
    expect(() => write(2)).toThrow(expect.objectContaining({ code: 'disk-full', message: expect.stringContaining('Nothing of this run was saved before') }))
    expect(stateSteps(folder)).toEqual([])
  })
})
