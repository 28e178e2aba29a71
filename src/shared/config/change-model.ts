/** What a run changes of its model's own sizes: settings `adapt.*`, applied once, when the run is frozen. */
import { AppError } from '../errors.ts'
import { modelFaults, type ModelConfig } from './model-config.ts'
import type { RunConfig } from './run-config.ts'

/** The published decay, for a copy that a run adds. */
const ADDED_MOMENTUM = 0.995

/**
 * The sizes a run really trains with. A change never adds weights but those of a momentum copy, so every checkpoint of the model
 * still loads: positions are interpolated, of longer queues the first part is taken.
 * @throws AppError 'bad-input' naming the setting when the changed sizes do not fit together.
 */
export function changedModel(model: ModelConfig, { adapt }: Pick<RunConfig, 'adapt'>): ModelConfig {
  const momentum = adapt.momentum === 'off' ? null : adapt.momentum === 'on' ? (model.momentum ?? ADDED_MOMENTUM) : model.momentum
  const changed: ModelConfig = {
    ...model,
    momentum,
    queue_size: adapt.momentum === 'off' && adapt.queue <= 0 ? 0 : adapt.queue >= 0 ? adapt.queue : model.queue_size,
    gradcam_layer: adapt.gradcamLayer >= 0 ? adapt.gradcamLayer : model.gradcam_layer,
    image: { ...model.image, size: adapt.imageSize > 0 ? adapt.imageSize : model.image.size },
  }
  const fault = modelFaults(changed)[0]
  if (fault === undefined) return changed
  const key = /image\./.test(fault) ? 'imageSize' : /gradcam/.test(fault) ? 'gradcamLayer' : 'queue'
  throw new AppError('bad-input', `The model cannot be changed like this: ${fault}.`, `Choose another adapt.${key}.`, `adapt.${key}`)
}
