/** For tests: trains the run of a folder in a process of its own that can be killed; tells every step. */
import { loadBackend } from '../../src/main/compute/backend.ts'
import { setTf } from '../../src/main/model/tf.ts'
import { runTraining } from '../../src/main/train/recipe.ts'

setTf((await loadBackend()).tf)
for await (const event of runTraining({ runDir: process.argv[2]!, resume: true })) {
  if (event.type !== 'train.metrics') continue
  const { step } = event.rows[0]!
  await new Promise((resolve) => process.send!(step, resolve))
  // Leaves the killer time between step 5 and the save after step 6.
  if (step >= 5) await new Promise((resolve) => setTimeout(resolve, 10_000))
}
