/** Attention Mask Consistency (AMC, eq. 3-6): the heat of a phrase belongs inside its region. */
import { firstMax, firstMin, relu } from '../nn.ts'
import { upsampleMaps } from '../resize-matrix.ts'
import { tf, type Scalar, type Tensor, type Tensor2D } from '../tf.ts'

export interface AmcTensors {
  readonly normal: Tensor2D // [K, cells]
  readonly upsampled: Tensor2D // [K, size * size]
  readonly meanInside: Scalar
  readonly meanOutside: Scalar
  readonly maxInside: Tensor // [K]
  readonly maxOutside: Tensor // [K]
}

/**
 * @param raw maps of the K samples that have a region, [K, g * g]
 * @param masks their region masks, [K, size * size] in [0, 1]
 */
export function amcTensors(raw: Tensor2D, masks: Tensor2D, grid: number, size: number): AmcTensors {
  const normal = normalizeMaps(raw)
  const upsampled = upsampleMaps(normal, grid, size)
  const inside = tf.mul(upsampled, masks) as Tensor2D
  const outsideMask = tf.sub(1, masks)
  const outside = tf.mul(upsampled, outsideMask) as Tensor2D
  return {
    normal,
    upsampled,
    meanInside: tf.div(tf.sum(inside), tf.sum(masks)),
    meanOutside: tf.div(tf.sum(outside), tf.sum(outsideMask)),
    maxInside: firstMax(inside),
    maxOutside: firstMax(outside),
  }
}

/** ReLU, minus the minimum, divided by (maximum + 1e-7), for each map. */
function normalizeMaps(raw: Tensor2D): Tensor2D {
  const positive = relu(raw)
  const shifted = tf.sub(positive, tf.expandDims(firstMin(positive), 1)) as Tensor2D
  return tf.div(shifted, tf.expandDims(tf.add(firstMax(shifted), 1e-7), 1))
}

/** One ratio over the whole batch: big boxes weigh more. */
export function amcMeanLoss({ meanInside, meanOutside }: AmcTensors, margin: number): Scalar {
  return relu(tf.add(tf.sub(meanOutside, meanInside), margin) as Scalar)
}

/** Per sample, then the mean. */
export function amcMaxLoss({ maxInside, maxOutside }: AmcTensors, margin: number): Scalar {
  return tf.mean(relu(tf.add(tf.sub(maxOutside, maxInside), margin)))
}
