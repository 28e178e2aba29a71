/** For tests: saves a state in a process of its own that is killed at its n-th call to the file system; half of a write is still done. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { writeState } from '../../src/main/train/state-files.ts'
import { stateOf } from './states.ts'

const [folder, step, killAt] = [process.argv[2]!, Number(process.argv[3]), Number(process.argv[4])]
let calls = 0

for (const name of ['openSync', 'writeSync', 'fsyncSync', 'closeSync', 'renameSync', 'rmSync'] as const) {
  const original = fs[name] as (...all: unknown[]) => unknown
  const watched = (...all: unknown[]): unknown => {
    if (++calls === killAt) {
      if (name === 'writeSync') original(all[0], all[1], all[2], Math.floor((all[3] as number) / 2))
      process.kill(process.pid, 'SIGKILL')
    }
    return original(...all)
  }
  Object.assign(fs, { [name]: watched })
}
syncBuiltinESMExports()
writeState(folder, stateOf(step))
