/** Image-text matching (ALBEF, eq. 4): do the two belong together? Matching pairs against hard negatives. */
import { tf, type Scalar, type Tensor2D } from '../tf.ts'
import { softCrossEntropy } from './itc.ts'

/** Mean cross-entropy; rows of `matching` are class 1, those of `others` (none: null) class 0. */
export function itmLoss(matching: Tensor2D, others: Tensor2D | null): Scalar {
  const logits = others ? tf.concat([matching, others], 0) : matching
  const labels = Int32Array.from({ length: logits.shape[0] }, (_, row) => (row < matching.shape[0] ? 1 : 0))
  return softCrossEntropy(logits, tf.oneHot(tf.tensor1d(labels, 'int32'), 2).toFloat())
}
