/** TensorFlow for tests of the model. Where it is not set up the tests that need it are skipped, and say so. */
import { describe } from 'vitest'
import { loadBackend } from '../../src/main/compute/backend.ts'
import { setTf } from '../../src/main/model/tf.ts'

const loaded = await loadBackend().then(
  ({ tf }) => {
    setTf(tf)
    return true
  },
  () => false,
)

/** `describe` where TensorFlow runs; else a skipped one that names the reason. */
export const describeWithTensorFlow = (name: string, tests: () => void): void => {
  if (loaded) describe(name, tests)
  else describe.skip(`${name} (TensorFlow is not set up: npm run setup)`, tests)
}
