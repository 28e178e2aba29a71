/** An engine as a process of its own, to be killed. Computing is arithmetic, so that a start takes a fraction of a second, unless 'real' is asked for; 'processes' does the arithmetic in processes of their own. */
import { join } from 'node:path'
import { spawnCompute } from '../../src/main/compute/client.ts'
import { fakeCompute } from '../support/fake-compute.ts'
import { createEngine } from '../../src/main/engine/engine.ts'
import { toErrorData } from '../../src/shared/errors.ts'

try {
  const entry = join(import.meta.dirname, '..', 'support', 'arithmetic-worker.ts')
  const compute = { real: {}, processes: { compute: (role: 'interactive' | 'job') => spawnCompute({ role, entry }) }, arithmetic: { compute: fakeCompute } }[process.argv[3] ?? 'arithmetic']
  const engine = await createEngine({ projectDir: process.argv[2]!, ...compute })
  await engine.settled
  process.stdout.write(`${JSON.stringify({ url: engine.url, token: engine.token, pid: process.pid })}\n`)
} catch (error) {
  process.stdout.write(`${JSON.stringify(toErrorData(error))}\n`)
  process.exit(3)
}
