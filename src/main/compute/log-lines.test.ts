import { expect, test } from 'vitest'
import { logLines } from './log-lines.ts'

const ABSL = 'WARNING: All log messages before absl::InitializeLog() is called are written to STDERR'
const ONE_DNN = 'I0000 00:00:1795805560.845998   24266 port.cc:153] oneDNN custom operations are on. You may see slightly different numerical results due to floating-point round-off errors from different computation orders. To turn them off, set the environment variable `TF_ENABLE_ONEDNN_OPTS=0`.'
const OOM = 'W0000 00:00:1795805560.9   24266 cpu_allocator_impl.cc:82] Allocation of 9437184000 exceeds 10% of free system memory.'

function read(pieces: readonly string[], all: boolean): string[] {
  const lines: string[] = []
  const reader = logLines((line) => lines.push(line), all)
  pieces.forEach(reader.add)
  reader.end()
  return lines
}

test('the two known notes are left out, wherever the pieces are cut; every other line is kept', () => {
  const text = `${ABSL}\n${ONE_DNN}\n${OOM}\r\n\nI0000 00:00:1.0 1 other.cc:1] something else\nlast`
  const kept = [OOM, 'I0000 00:00:1.0 1 other.cc:1] something else', 'last']
  expect(read([text], false)).toEqual(kept)
  expect(read(Array.from(text), false)).toEqual(kept)
  expect(read([text], true)).toEqual([ABSL, ONE_DNN, ...kept])
})
