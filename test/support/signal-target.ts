/** A process that runs the image encoder again and again and counts the signals it hears; prints what it came to as one line of JSON. */
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { loadBackend } from '../../src/main/compute/backend.ts'
import { setTf, type Tensor4D } from '../../src/main/model/tf.ts'
import { encodeImage } from '../../src/main/model/vit.ts'
import { loadModel } from '../../src/main/train/model-files.ts'

const { tf } = await loadBackend()
setTf(tf)
const { params } = await loadModel(join(import.meta.dirname, '..', '..', 'resources', 'checkpoints', 'demo-with-amc.safetensors'))
const signals = Number(process.argv[2])
let heard = 0
process.on('SIGUSR2', () => heard++)

const { size } = params.config.image
const images = tf.randomNormal([16, 3, size, size], 0, 1, 'float32', 7) as Tensor4D
const compute = (): Float32Array => {
  const tokens = tf.tidy(() => encodeImage(params, images))
  const values = tokens.dataSync<'float32'>()
  tokens.dispose()
  return values
}
const expected = compute()
let [rounds, different] = [0, 0]
console.log('ready')
while (heard < signals) {
  rounds++
  if (compute().some((value, i) => value !== expected[i])) different++
  await setImmediate()
}
console.log(JSON.stringify({ rounds, different }))
process.exit(0)
