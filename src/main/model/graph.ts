/**
 * A stretch of the network as ONE operation of tfjs, with its own reverse pass on bare kernels. tfjs spends more time on
 * bookkeeping than small models spend on arithmetic; a transformer layer written this way costs a third. Differentiable
 * once: what the Grad-CAM gradient passes through is written in nn.ts instead, and asking for more here fails loudly.
 */
import { customOp, isRecording, onceOnly, type Gradients } from './custom-op.ts'
import * as k from './kernels.ts'
import { tf, type Tensor, type Variable } from './tf.ts'

export interface Node {
  readonly value: Tensor
  /** Sum of what arrived so far in the reverse pass. */
  gradient: Tensor | null
  /** Nothing below it learns, so no gradient is worked out for it. */
  readonly fixed: boolean
}

export interface Graph {
  readonly recording: boolean
  readonly inputs: Record<string, Tensor>
  readonly nodes: Map<string, Node>
  readonly steps: { readonly output: Node; readonly backward: (dy: Tensor) => void }[]
  readonly held: Tensor[]
}

/** Operations whose reverse pass has not run yet; what is left after a step was on no path to a loss. */
const open = new Set<Graph>()

/**
 * Runs `build` on the inputs as one operation.
 * @param build from the inputs' nodes to the result's; parameters enter through `param`.
 */
export function once<T extends Tensor>(name: string, inputs: readonly Tensor[], build: (graph: Graph, ...inputs: Node[]) => Node): T {
  const graph: Graph = { recording: isRecording(), inputs: {}, nodes: new Map(), steps: [], held: [] }
  const entries = inputs.map((value, i) => {
    graph.inputs[`input${i}`] = value
    const node: Node = { value, gradient: null, fixed: false }
    graph.nodes.set(`input${i}`, node)
    return node
  })
  let result: Node | null = null
  if (graph.recording) open.add(graph)
  return customOp<T>(
    graph.inputs,
    () => {
      result = build(graph, ...entries)
      return result.value as T
    },
    (dy) => {
      onceOnly(name)
      result!.gradient = tf.keep(tf.clone(dy))
      reverse(graph)
      const gradients: Gradients = {}
      for (const [key, node] of graph.nodes) gradients[key] = () => handOver(node)
      return gradients
    },
  )
}

function reverse(graph: Graph): void {
  for (let i = graph.steps.length - 1; i >= 0; i--) {
    const { output, backward } = graph.steps[i]!
    const dy = output.gradient
    if (!dy) continue
    output.gradient = null
    tf.tidy(() => backward(dy))
    dy.dispose()
  }
  release(graph)
}

function release(graph: Graph): void {
  tf.dispose(graph.held)
  graph.held.length = 0
  graph.steps.length = 0
  open.delete(graph)
}

/** The gradient of an input or parameter, now tfjs' to keep or free. */
function handOver(node: Node): Tensor {
  if (!node.gradient) return tf.zerosLike(node.value)
  const gradient = tf.clone(node.gradient)
  node.gradient.dispose()
  node.gradient = null
  return gradient
}

/** Frees what no reverse pass came for. Called at the end of a step. */
export function releaseOpenGraphs(): void {
  for (const graph of [...open]) {
    for (const node of graph.nodes.values()) node.gradient?.dispose()
    release(graph)
  }
}

export function param(graph: Graph, variable: Variable): Node {
  const key = `v${variable.id}`
  let node = graph.nodes.get(key)
  if (!node) {
    node = { value: variable, gradient: null, fixed: false }
    graph.nodes.set(key, node)
    graph.inputs[key] = variable
  }
  return node
}

/** Something that takes part but does not learn. */
export const fixed = (value: Tensor): Node => ({ value, gradient: null, fixed: true })

/** Keeps a value for the reverse pass. */
export function hold(graph: Graph, value: Tensor): Tensor {
  if (!graph.recording || value instanceof tf.Variable) return value
  const copy = tf.keep(tf.clone(value)) // shares the memory
  graph.held.push(copy)
  return copy
}

/** A new node; `backward` gets its gradient and adds to those of its inputs. */
export function emit(graph: Graph, value: Tensor, backward: (dy: Tensor) => void): Node {
  const output: Node = { value, gradient: null, fixed: false }
  if (graph.recording) graph.steps.push({ output, backward })
  return output
}

/** Adds to a node's gradient; the thunk runs only when the node learns. */
export function accumulate(node: Node, gradient: () => Tensor): void {
  if (node.fixed) return
  const previous = node.gradient
  const made = gradient()
  node.gradient = tf.keep(previous ? k.add(previous, made) : made)
  previous?.dispose()
}
