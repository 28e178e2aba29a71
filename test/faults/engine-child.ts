/** An engine as a process of its own, to be killed. Computing is arithmetic, so that a start takes a fraction of a second, unless 'real' is asked for. */
import { fakeCompute } from '../support/fake-compute.ts'
import { createEngine } from '../../src/main/engine/engine.ts'
import { toErrorData } from '../../src/shared/errors.ts'

try {
  const engine = await createEngine({ projectDir: process.argv[2]!, ...(process.argv[3] === 'real' ? {} : { compute: fakeCompute }) })
  await engine.settled
  process.stdout.write(`${JSON.stringify({ url: engine.url, token: engine.token, pid: process.pid })}\n`)
} catch (error) {
  process.stdout.write(`${JSON.stringify(toErrorData(error))}\n`)
  process.exit(3)
}
