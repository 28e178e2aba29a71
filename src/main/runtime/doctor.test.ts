import { describe, expect, it } from 'vitest'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { curesFor, doctorReport, isOldPip, onPath, parseGpuLine, pipVersion, toolFacts } from './doctor.ts'

const ALL_WELL = {
  running: true,
  usesGpu: false,
  gpu: null,
  electron: { version: '45.0.0', installed: true, path: '/x/electron', display: true },
  tools: { python: '/usr/bin/python3', pip: 'pip 23', compiler: '/usr/bin/g++' },
}

describe('what the doctor advises', () => {
  it('is nothing when all is well', () => {
    expect(curesFor(ALL_WELL)).toEqual([])
  })

  it('names what set-up needs before set-up itself', () => {
    const cures = curesFor({ ...ALL_WELL, running: false, tools: { python: null, pip: null, compiler: null } })
    expect(cures.map((cure) => /pip|g\+\+|setup/.exec(cure)?.[0])).toEqual(['pip', 'g++', 'setup'])
  })

  it('names a pip that is too old', () => {
    const cures = curesFor({ ...ALL_WELL, running: false, tools: { ...ALL_WELL.tools, pip: 'pip 20.0.2' } })
    expect(cures[0]).toContain('Renew pip 20.0.2')
    expect(['pip 9.0', 'pip 20.2.4', 'pip 20.3', 'pip 24.1'].map(isOldPip)).toEqual([true, true, false, false])
  })

  it('is to fetch Electron only where it could show a window, and does not say that this was tried', () => {
    const missing = { ...ALL_WELL.electron, installed: false, path: null }
    expect(curesFor({ ...ALL_WELL, electron: missing })).toEqual([expect.stringMatching(/^Electron is not installed; .*`npm run setup` tries to fetch it, /)])
    expect(curesFor({ ...ALL_WELL, electron: { ...missing, display: false } })).toEqual([])
  })

  it('tells that a graphics card lies idle, by its name', () => {
    const [cure] = curesFor({ ...ALL_WELL, gpu: { name: 'NVIDIA A10', driver: '470.1', memoryMiB: 24_000 } })
    expect(cure).toContain('NVIDIA A10')
    expect(curesFor({ ...ALL_WELL, usesGpu: true, gpu: { name: 'NVIDIA A10', driver: '550.1', memoryMiB: 24_000 } })).toEqual([])
  })
})

it('reads a card from nvidia-smi and refuses its error texts', () => {
  expect(parseGpuLine('NVIDIA GeForce RTX 3060, 550.54.14, 12288\nsecond, 1, 2')).toEqual({ name: 'NVIDIA GeForce RTX 3060', driver: '550.54.14', memoryMiB: 12_288 })
  expect(parseGpuLine('NVIDIA-SMI has failed because it could not communicate with the driver, really, so')).toBeNull()
  expect(parseGpuLine('')).toBeNull()
})

it.skipIf(process.platform === 'win32')('takes the first Python that has a usable pip, as set-up does', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'amc-doctor-'))
  const program = (name: string, text: string) => {
    writeFileSync(join(dir, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(dir, name), 0o755)
  }
  program('python3', 'exit 1')
  expect(await toolFacts({ PATH: dir })).toEqual({ python: join(dir, 'python3'), pip: null, compiler: null })
  program('python', "echo 'pip 20.0.2 from /x (python 3.8)'")
  expect(await toolFacts({ PATH: dir })).toMatchObject({ python: join(dir, 'python'), pip: 'pip 20.0.2' })
  program('py', "echo 'pip 24.1 from /x (python 3.12)'")
  expect(await toolFacts({ PATH: dir })).toMatchObject({ python: join(dir, 'py'), pip: 'pip 24.1' })
  rmSync(dir, { recursive: true })
})

it('reads the version that pip says it is', () => {
  expect(pipVersion('pip 23.2.1 from /usr/lib (python 3.11)')).toBe('pip 23.2.1')
  expect(pipVersion('No module named pip')).toBeNull()
  expect(pipVersion(null)).toBeNull()
})

it('finds programs on PATH only', () => {
  expect(onPath(['node-that-is-not-there'], process.env)).toBeNull()
  expect(onPath(['sh'], { PATH: '' })).toBeNull()
})

it('reports a TensorFlow that runs, with its version, device and the reason for no GPU', async () => {
  const report = await doctorReport()
  expect(report.tensorflow.problem).toBeNull()
  expect(report.ok).toBe(true)
  expect(report.version).toMatch(/^\d+\.\d+\.\d+/)
  expect(report.tensorflow.backend?.library).toMatch(/^TensorFlow \d+\.\d+/)
  expect(report.tensorflow.backend?.threads).toBeGreaterThan(0)
  expect(report.tensorflow.backend?.whyNotGpu === null).toBe(report.tensorflow.backend?.gpu)
})
