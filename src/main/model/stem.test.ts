import { expect, test } from 'vitest'
import { smallConfig } from '../../../test/support/small-model.ts'
import { describeWithTensorFlow } from '../../../test/support/tensorflow.ts'
import { gelu } from './nn.ts'
import { createParams, disposeParams, variableOf } from './params.ts'
import { createRandom } from './random.ts'
import { convStem } from './stem.ts'
import { tf, type Tensor, type Tensor2D, type Tensor4D } from './tf.ts'
import type { ModelParams } from './types.ts'

/** The stem out of tfjs' own differentiable operations. */
function plainStem(params: ModelParams, images: Tensor4D): Tensor2D {
  const v = (key: string): Tensor => variableOf(params, `visual_encoder.stem.${key}`)
  let x = tf.transpose(images, [0, 2, 3, 1]) as Tensor4D
  ;[3, 2, 2].forEach((stride, i) => {
    const filter = tf.transpose(v(`${i}.conv.weight`), [2, 3, 1, 0]) as Tensor4D
    x = tf.add(tf.conv2d(x, filter, stride, 'same'), v(`${i}.conv.bias`))
    const mean = tf.mean(x, [1, 2, 3], true)
    const variance = tf.mean(tf.square(tf.sub(x, mean)), [1, 2, 3], true)
    const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)))
    x = gelu(tf.add(tf.mul(normal, v(`${i}.norm.weight`)), v(`${i}.norm.bias`)) as Tensor4D)
  })
  const rows = tf.reshape(x, [-1, x.shape[3]]) as Tensor2D
  const matrix = tf.reshape(v('proj.weight'), [x.shape[3], x.shape[3]]) as Tensor2D
  return tf.add(tf.matMul(rows, matrix, false, true), v('proj.bias'))
}

describeWithTensorFlow('the convolutional stem', () => {
  test('gives cells in row-major order, and the values and gradients of plain operations', () => {
    const config = smallConfig({ image: { size: 48, patch: 12, width: 16, depth: 1, heads: 2, stem: 'conv' } })
    const params = createParams(config, 3)
    const random = createRandom(1)
    const images = tf.tensor4d(Float32Array.from({ length: 2 * 3 * 48 * 48 }, () => random.normal()), [2, 3, 48, 48])
    const variables = params.trainable.filter((name) => name.includes('.stem.')).map((name) => variableOf(params, name) as Tensor)
    const weighted = (x: Tensor2D): Tensor => tf.sum(tf.mul(x, tf.sin(tf.reshape(tf.range(0, x.size), x.shape))))
    const run = (stem: () => Tensor2D): { value: Float32Array; gradients: Float32Array[] } =>
      tf.tidy((() => {
        const { grads } = tf.engine().gradients(() => weighted(stem()), variables)
        return { value: stem().dataSync<'float32'>(), gradients: grads.map((g) => g.dataSync<'float32'>()) }
      }) as () => never)
    const [quick, plain] = [run(() => convStem(params, images, 'visual_encoder')), run(() => plainStem(params, images))]
    expect(quick.value.length).toBe(2 * 16 * 16)
    const close = (a: Float32Array, b: Float32Array): void => {
      const largest = Math.max(...b.map(Math.abs), 1e-3)
      b.forEach((want, i) => expect(Math.abs(a[i]! - want) / largest).toBeLessThan(1e-3))
    }
    close(quick.value, plain.value)
    plain.gradients.forEach((gradient, i) => close(quick.gradients[i]!, gradient))
    images.dispose()
    disposeParams(params)
  })
})
