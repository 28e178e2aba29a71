/** Every rule about who may import what is broken once on purpose, in a small tree, and must be the rule that speaks. */
import { copyFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { writeWhole } from './files.mjs'
import { run } from './run.mjs'
import { scratch } from './trial.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')
const RULES = /** @type {{name: string}[]} */ (createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')).forbidden).map((rule) => rule.name)

/** Plain files that others import. @type {Record<string, string>} */
const GROUND = {
  'src/shared/domain.ts': "import { z } from 'zod'\nexport const schema = z.string()",
  'src/main/model/tf.ts': "import type * as T from '@tensorflow/tfjs'\nexport let tf: typeof T",
  'src/main/model/vit.ts': "import { schema } from '../../shared/domain.ts'\nimport { tf } from './tf.ts'\nexport const vit = [schema, tf]",
  'src/main/train/step.ts': "import { vit } from '../model/vit.ts'\nexport const step = vit",
  'src/main/compute/backend.ts': "import * as node from '@tensorflow/tfjs-node-gpu'\nexport const backend = node",
  'src/main/compute/client.ts': 'export const client = 1',
  'src/main/compute/worker.ts': "import { step } from '../train/step.ts'\nexport const worker = step",
  'src/main/checkpoints/pth.ts': 'export const pth = 1',
  'src/main/store/db.ts': "import Database from 'better-sqlite3'\nexport const db = Database",
  'src/main/formats/yolo.ts': 'export const yolo = 1',
  'src/main/images/decode.ts': 'export const decode = 1',
  'src/main/compute/protocol.ts': 'export const protocol = 1',
  'src/main/features/runs/handlers.ts': "import { db } from '../../store/db.ts'\nimport { protocol } from '../../compute/protocol.ts'\nexport const runs = [db, protocol]",
  'src/main/engine/main.ts': "import { runs } from '../features/runs/handlers.ts'\nimport { client } from '../compute/client.ts'\nexport const engine = [runs, client]",
  'src/main/cli.ts': "import { engine } from './engine/main.ts'\nexport const cli = engine",
  'src/main/electron/window.ts': "import { app } from 'electron'\nexport const window = app",
  'src/main/index.ts': "import { window } from './electron/window.ts'\nexport const index = window",
  'src/preload/index.ts': "import { contextBridge } from 'electron'\nexport const preload = contextBridge",
  'src/renderer/state/engine.ts': "import { schema } from '../../shared/domain.ts'\nexport const state = schema",
  'src/renderer/canvas/camera.ts': 'export const camera = 1',
}

/** Rule, file, and the import that breaks it. @type {[string, string, string][]} */
const VIOLATIONS = [
  ['shared-is-alone', 'src/shared/bad-layer.ts', '../main/images/decode.ts'],
  ['shared-packages', 'src/shared/bad-package.ts', 'node:fs'],
  ['shared-packages', 'src/shared/bad-other.ts', 'zustand'],
  ['model-uses-shared', 'src/main/model/bad.ts', '../images/decode.ts'],
  ['tfjs-types-only', 'src/main/train/bad-tfjs.ts', '@tensorflow/tfjs'],
  ['train-uses-model', 'src/main/train/bad.ts', '../compute/client.ts'],
  ['compute-uses-train', 'src/main/compute/bad.ts', '../store/db.ts'],
  ['checkpoints-use-shared', 'src/main/checkpoints/bad.ts', '../model/vit.ts'],
  ['store-uses-shared', 'src/main/store/bad.ts', '../images/decode.ts'],
  ['formats-use-shared', 'src/main/formats/bad.ts', '../store/db.ts'],
  ['images-use-shared', 'src/main/images/bad.ts', '../store/db.ts'],
  ['features-reach', 'src/main/features/runs/bad.ts', '../../compute/worker.ts'],
  ['features-reach', 'src/main/features/runs/bad-client.ts', '../../compute/client.ts'],
  ['engine-reaches', 'src/main/engine/bad-model.ts', '../model/vit.ts'],
  ['demo-reaches', 'src/main/demo/bad.ts', '../store/db.ts'],
  ['eval-reaches', 'src/main/eval/bad.ts', '../features/runs/handlers.ts'],
  ['golden-reaches', 'src/main/golden/bad.ts', '../store/db.ts'],
  ['bench-reaches', 'src/main/bench/bad.ts', '../images/decode.ts'],
  ['runtime-reaches', 'src/main/runtime/bad.ts', '../model/vit.ts'],
  ['shell-is-thin', 'src/main/electron/bad.ts', '../engine/main.ts'],
  ['main-leaves-the-page', 'src/main/cli/bad.ts', '../electron/window.ts'],
  ['main-leaves-the-page', 'src/main/cli/bad-page.ts', '../../renderer/canvas/camera.ts'],
  ['features-stay-apart', 'src/main/features/views/bad.ts', '../runs/handlers.ts'],
  ['renderer-uses-shared', 'src/renderer/bad.ts', '../main/images/decode.ts'],
  ['canvas-is-plain', 'src/renderer/canvas/bad.ts', '../state/engine.ts'],
  ['canvas-is-plain', 'src/renderer/canvas/bad-calls.ts', '@orpc/client'],
  ['canvas-is-plain', 'src/renderer/canvas/bad-store.ts', 'zustand'],
  ['preload-is-small', 'src/preload/bad.ts', '../main/store/db.ts'],
  ['roots-are-not-imported', 'src/main/store/bad-root.ts', '../cli.ts'],
  ['one-database-file', 'src/main/store/bad-db.ts', 'better-sqlite3'],
  ['one-backend-file', 'src/main/compute/bad-backend.ts', '@tensorflow/tfjs-node-gpu'],
  ['electron-in-the-shell', 'src/main/engine/bad.ts', 'electron'],
  ['no-tests-in-the-product', 'src/main/engine/bad-test.ts', 'vitest'],
  ['no-cycles', 'src/main/images/circle-a.ts', './circle-b.ts'],
  ['resolvable', 'src/main/images/bad-lost.ts', './not-there.ts'],
]

const place = scratch('rules')
/** @type {{from: string, rule: {name: string}}[]} */
let found

beforeAll(async () => {
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.node.json', 'package.json']) copyFileSync(join(root, name), join(place.dir, name))
  symlinkSync(join(root, 'node_modules'), join(place.dir, 'node_modules'), 'junction')
  for (const [path, text] of Object.entries(GROUND)) writeWhole(join(place.dir, path), text)
  for (const [, path, target] of VIOLATIONS) writeWhole(join(place.dir, path), `import * as it from '${target}'\nexport const bad = it`)
  writeWhole(join(place.dir, 'src/main/images/circle-b.ts'), "import * as it from './circle-a.ts'\nexport const bad = it")
  const cruiser = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs')
  const result = await run(process.execPath, [cruiser, 'src', '--config', '.dependency-cruiser.cjs', '--output-type', 'err-long', '--output-type', 'json'], { cwd: place.dir })
  found = JSON.parse(result.stdout).summary.violations
}, 600_000)
afterAll(() => place.remove())

it.each(VIOLATIONS)('%s speaks about %s importing %s', (rule, path) => {
  expect(found.filter((one) => one.from === path).map((one) => one.rule.name)).toContain(rule)
})

it('has a planted violation for every rule', () => {
  expect([...new Set(VIOLATIONS.map(([rule]) => rule))].sort()).toEqual([...RULES].sort())
})

it('is silent about imports that are allowed', () => {
  expect(found.filter((one) => one.from in GROUND)).toEqual([])
})
