/**
 * Bytes that TensorFlow's tensors really occupy, and the most there were. tfjs' own count takes a reshaped tensor for a second one;
 * TensorFlow lets both share a buffer, and so does this.
 */
import { tf } from '../../src/main/model/tf.ts'

type Id = object
interface Buffer {
  readonly bytes: number
  owners: number
}
interface Handle {
  readonly dataId: Id
  readonly size: number
}
interface Backend {
  executeSingleOutput(name: string, attributes: unknown, inputs: readonly Handle[]): Handle
  executeMultipleOutputs(name: string, attributes: unknown, inputs: readonly Handle[], outputs: number): Handle[]
  write(values: unknown, shape: readonly number[], dtype: string): Id
  disposeData(id: Id, force?: boolean): boolean
}

const SHARING = new Set(['Reshape', 'Identity', 'ExpandDims', 'Squeeze'])

/** Most bytes alive at once during `run` beyond those alive before it. `prepare` makes new what `run` replaces, such as a momentum copy. */
export function peakLiveBytes(prepare: () => void, run: () => void): number {
  const backend = tf.backend() as unknown as Backend
  const { executeSingleOutput, executeMultipleOutputs, write, disposeData } = backend
  const buffers = new Map<Id, Buffer>()
  let [live, peak] = [0, 0]
  const own = (id: Id, bytes: number): void => {
    buffers.set(id, { bytes, owners: 1 })
    live += bytes
    peak = Math.max(peak, live)
  }
  const share = (id: Id, buffer: Buffer): void => {
    buffers.set(id, buffer)
    buffer.owners++
  }
  backend.executeSingleOutput = function (name, attributes, inputs) {
    const result = executeSingleOutput.call(this, name, attributes, inputs)
    if (SHARING.has(name)) {
      const source = buffers.get(inputs[0]!.dataId)
      if (source) share(result.dataId, source) // else of a tensor from before, whose memory is not new
    } else own(result.dataId, result.size * 4)
    return result
  }
  backend.executeMultipleOutputs = function (name, attributes, inputs, outputs) {
    const results = executeMultipleOutputs.call(this, name, attributes, inputs, outputs)
    for (const result of results) own(result.dataId, result.size * 4)
    return results
  }
  backend.write = function (values, shape, dtype) {
    const id = write.call(this, values, shape, dtype)
    own(id, shape.reduce((product, n) => product * n, 1) * 4)
    return id
  }
  backend.disposeData = function (id, force) {
    const gone = disposeData.call(this, id, force)
    const buffer = gone ? buffers.get(id) : undefined
    if (buffer) {
      buffers.delete(id)
      buffer.owners--
      if (buffer.owners === 0) live -= buffer.bytes
    }
    return gone
  }
  try {
    prepare()
    const before = live
    peak = live
    run()
    return peak - before
  } finally {
    Object.assign(backend, { executeSingleOutput, executeMultipleOutputs, write, disposeData })
  }
}
