import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { MetricRow } from '../../shared/domain.ts'
import { openBeside } from './beside.ts'
import { appendLine } from './files.ts'
import { runPaths } from './run-folder.ts'
import { crc32c, scalarsEvent, tfRecord, versionEvent } from './tfevents.ts'

const CREATED = '2023-11-14T22:13:20.250Z' // 1700000000.25
const ROWS: readonly MetricRow[] = [
  { step: 1, seconds: 1.25, wait: 0.5, values: { 'loss.total': 2.5, lr: 1e-5 } },
  { step: 2, seconds: 2.5, wait: 0, values: { 'loss.total': 2, lr: 2e-5, 'val.pointingGame': 0.5 } },
  { step: 300, seconds: 3, values: { 'loss.total': 1.25, lr: 1e-5, 'val.pointingGame': 0.5 } },
]

/** Written by the package tensorboard 2.21 itself (RecordWriter with event_pb2): a version, and a step 300 with three scalars. */
const RECORDED = {
  version: '1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9',
  scalars: '4500000000000000ebe668b00900006040fc54d94110ac022a370a110a0a6c6f73732f746f74616c150000a03f0a090a026c7215acc527370a170a1076616c2f706f696e74696e6747616d65150000003f9d6fc0f1',
}

async function temporaryRun() {
  const dir = await mkdtemp(join(tmpdir(), 'amc-events-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return runPaths(dir)
}
async function eventFile(events: string): Promise<string> {
  const names = await readdir(events)
  expect(names).toHaveLength(1)
  return join(events, names[0]!)
}
/** Steps of the records of a file, each record checked by both of its checksums. */
async function stepsIn(file: string): Promise<(number | null)[]> {
  const bytes = await readFile(file)
  const steps: (number | null)[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at))
    const data = bytes.subarray(at + 12, at + 12 + length)
    expect(bytes.subarray(at, at + 16 + length).equals(tfRecord(data))).toBe(true)
    let step = 0
    for (let i = 10, shift = 0; data[9] === 0x10; i++, shift += 7) {
      step += (data[i]! & 127) * 2 ** shift
      if (data[i]! < 128) break
    }
    steps.push(data[9] === 0x10 ? step : null)
    at += 16 + length
  }
  return steps
}

describe('the bytes', () => {
  test('of the checksum are those of its standard', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  })

  test('of records are those that TensorBoard writes', () => {
    expect(versionEvent(1700000000.25).toString('hex')).toBe(RECORDED.version)
    expect(scalarsEvent(1700000001.5, ROWS[2]!).toString('hex')).toBe(RECORDED.scalars)
  })

  test('of steps beyond 32 bits are right too', async () => {
    const paths = await temporaryRun()
    await writeFile(join(paths.dir, 'one'), scalarsEvent(0, { ...ROWS[0]!, step: 2 ** 40 + 5 }))
    expect(await stepsIn(join(paths.dir, 'one'))).toEqual([2 ** 40 + 5])
  })
})

describe('beside the curves', () => {
  async function follow(paths: Awaited<ReturnType<typeof temporaryRun>>, rows: readonly MetricRow[]): Promise<void> {
    const beside = await openBeside(paths, CREATED)
    for (const row of rows) {
      await appendLine(paths.metrics, row)
      await beside.add(row)
    }
  }

  test('each step stands once in both files, with every quantity, however often the run is taken up', async () => {
    const paths = await temporaryRun()
    await follow(paths, ROWS.slice(0, 2))
    // Cut off after step 2 was told but before it was saved: the run forgets it, and makes it again.
    await writeFile(paths.metrics, `${JSON.stringify(ROWS[0])}\n`)
    await follow(paths, ROWS.slice(1))
    expect(await stepsIn(await eventFile(paths.events))).toEqual([null, 1, 2, 300])
    expect(await readFile(paths.csv, 'utf8')).toBe('step,seconds,wait,loss.total,lr,val.pointingGame\n1,1.25,0.5,2.5,0.00001,\n2,2.5,0,2,0.00002,0.5\n300,3,,1.25,0.00001,0.5\n')
  })

  const python = [process.env['AMC_PYTHON'], 'python3'].find((name) => name && hasTensorBoard(name))
  test.skipIf(!python)(`TensorBoard reads back what was written${python ? '' : ' (skipped: no Python with the package tensorboard; AMC_PYTHON names one)'}`, async () => {
    const paths = await temporaryRun()
    await follow(paths, ROWS)
    const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
found = EventAccumulator(sys.argv[1]); found.Reload()
print(json.dumps({tag: [[e.step, e.value, e.wall_time] for e in found.Scalars(tag)] for tag in found.Tags()['scalars']}))`
    const read = JSON.parse(execFileSync(python!, ['-c', script, paths.events], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })) as Record<string, [number, number, number][]>
    expect(Object.keys(read).sort()).toEqual(['loss/total', 'lr', 'val/pointingGame'])
    expect(read['loss/total']).toEqual([[1, 2.5, 1700000001.5], [2, 2, 1700000002.75], [300, 1.25, 1700000003.25]])
    expect(read['lr']!.map(([step, value]) => [step, Math.fround(1e-5) === value || Math.fround(2e-5) === value])).toEqual([[1, true], [2, true], [300, true]])
  })
})

function hasTensorBoard(python: string): boolean {
  try {
    execFileSync(python, ['-c', 'import tensorboard'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
