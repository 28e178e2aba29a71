import { mkdtemp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parseRunConfig } from '../../shared/config/run-config.ts'
import { forgetOld } from './keep-run.ts'
import { runPaths } from './run-folder.ts'

test('old checkpoints are cleared away, but not the best nor those in use', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'amc-keep-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const paths = runPaths(dir)
  await mkdir(paths.checkpoints, { recursive: true })
  for (const step of [10, 20, 30, 40, 50]) await writeFile(paths.checkpoint(step), 'weights')
  const config = parseRunConfig({ save: { keep: 1 } })
  const left = async () => (await readdir(paths.checkpoints)).filter((name) => name.startsWith('step-')).sort()
  await writeFile(paths.held, '[10, 30]')
  await forgetOld({ paths, config, best: { step: 20, value: 1, judge: 'pointingGame' } }, 50)
  expect(await left()).toEqual([10, 20, 30, 50].map((step) => `step-${step}.safetensors`))
  await writeFile(paths.held, '[]')
  await forgetOld({ paths, config, best: { step: 20, value: 1, judge: 'pointingGame' } }, 50)
  expect(await left()).toEqual([20, 50].map((step) => `step-${step}.safetensors`))
})
