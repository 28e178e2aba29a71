/** A checkpoint file that does not tell its model's sizes, through the commands that take one. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../src/main/cli/commands.ts'
import { runCli } from '../../src/main/cli/run-cli.ts'
import { readInstalledRuntime } from '../../src/main/compute/backend.ts'
import { writeSafetensors } from '../../src/main/checkpoints/safetensors.ts'
import { parameterSpecs } from '../../src/main/model/params.ts'
import { annotationsOf, importInto, openTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'
import { TINY } from '../support/tiny-runs.ts'

const hasTensorFlow = readInstalledRuntime() !== null

async function amc(...args: string[]): Promise<{ code: number; json: Record<string, unknown>; err: string }> {
  let [out, err] = ['', '']
  const code = await runCli(COMMANDS, [...args, '--json'], { stdout: { write: (text) => (out += text) }, stderr: { write: (text) => (err += text) } }, new AbortController().signal, '0')
  return { code, json: JSON.parse(out) as Record<string, unknown>, err }
}

test.skipIf(!hasTensorFlow)(`score, compare and explain take it with --model and refuse it without, naming what is missing${hasTensorFlow ? '' : ' (skipped: TensorFlow is not set up)'}`, async () => {
  const folder = await temporaryFolder()
  const projectDir = join(folder, 'project')
  const engine = await openTestEngine({ projectDir })
  await importInto(engine, await writeDataset(join(folder, 'data'), annotationsOf(2, 2)))
  await engine.close()
  let state = 7
  const noise = (): number => (state = (state * 75 + 74) % 65_537) / 65_537 / 5 - 0.1
  const writeNoise = (path: string): void => {
    const tensors = parameterSpecs(TINY).map(({ name, shape }) => [name, { shape: [...shape], data: Float32Array.from({ length: shape.reduce((product, n) => product * n, 1) }, noise) }] as const)
    writeSafetensors(path, new Map(tensors), {})
  }
  const bare = join(folder, 'bare.safetensors')
  writeNoise(bare)
  const sizes = join(folder, 'sizes.yaml')
  await writeFile(sizes, JSON.stringify(TINY))

  const without = await amc('score', '--project', projectDir, '--checkpoint', bare)
  expect(without).toMatchObject({ code: 3, json: { error: { code: 'bad-input', message: expect.stringMatching(/does not say the sizes/) } } })
  expect(await amc('score', '--project', projectDir, '--checkpoint', bare, '--model', 'albef-bas')).toMatchObject({ code: 3, err: expect.stringMatching(/no model "albef-bas"[^]*Did you mean "albef-base"/) })
  const scored = await amc('score', '--project', projectDir, '--checkpoint', bare, '--model', sizes)
  expect(scored).toMatchObject({ code: 0, json: { scored: 4, skipped: [], checkpoint: { name: 'bare' } } })
  // A name of a model is a name, not a path: that it does not fit is said, not that there is no such file.
  const explain = await amc('explain', '--checkpoint', bare, '--image', join(folder, 'data', '0.png'), '--phrase', 'a thing', '--model', 'albef-tiny')
  expect([explain.code, explain.err]).toEqual([3, expect.not.stringMatching(/cannot be read/)])
  expect((await amc('explain', '--checkpoint', bare, '--image', join(folder, 'data', '0.png'), '--phrase', 'a thing', '--model', sizes)).code).toBe(0)
  // The file again is the checkpoint that is there.
  expect(await amc('score', '--project', projectDir, '--checkpoint', bare, '--model', sizes)).toMatchObject({ code: 0, json: { scored: 0, checkpoint: { name: 'bare' } }, err: expect.stringMatching(/in the project already, as bare/) })
  const other = join(folder, 'other.safetensors')
  writeNoise(other)
  expect(await amc('compare', '--project', projectDir, '--a', 'bare', '--b', other, '--model', sizes)).toMatchObject({ code: 0, json: { regions: 4, matrix: { fixed: 0, broken: 0 } } })
}, 300_000)
