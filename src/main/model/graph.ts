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
  /** Whether values are kept for a reverse pass over this very graph. */
  readonly recording: boolean
  readonly inputs: Record<string, Tensor>
  readonly nodes: Map<string, Node>
  readonly steps: { readonly output: Node; readonly backward: (dy: Tensor) => void }[]
  readonly held: Tensor[]
}

type Build = (graph: Graph, ...inputs: Node[]) => Node

/** Operations whose reverse pass has not run yet; what is left after a step was on no path to a loss. */
const open = new Set<Graph>()

/** Inputs whose gradient is worked out and not asked for yet; nobody asks for that of an input below which nothing learns. */
const unclaimed = new Set<Node>()

/** Tensors that nothing which learns went into: the reverse pass stops at them. */
const settled = new WeakSet<Tensor>()

/** Marks a tensor made by plain operations as settled when all it was made of is; a constant, made of nothing, always is. */
export function settleLike<T extends Tensor>(x: T, ...sources: readonly Tensor[]): T {
  if (sources.every((source) => (source instanceof tf.Variable ? !source.trainable : settled.has(source)))) settled.add(x)
  return x
}

let recomputing = false

/**
 * Within `run`, operations keep their inputs alone and compute everything between again when their reverse pass comes: the
 * same kernels on the same numbers, so the gradients are the same. Costs one more forward pass of them.
 */
export function withRecomputation<T>(on: boolean, run: () => T): T {
  const before = recomputing
  recomputing = on
  try {
    return run()
  } finally {
    recomputing = before
  }
}

/**
 * Runs `build` on the inputs as one operation.
 * @param inputs every tensor that build looks at, constants such as a mask too, but what lives as long as the whole step.
 * @param build from the inputs' nodes to the result's; parameters enter through `param`. Runs twice under withRecomputation.
 */
export function once<T extends Tensor>(name: string, inputs: readonly Tensor[], build: Build): T {
  const taped = isRecording()
  const again = taped && recomputing
  const graph = newGraph(taped && !again)
  const entries = enter(graph, inputs)
  let result: Node | null = null
  if (taped) open.add(graph)
  const value = customOp<T>(
    graph.inputs,
    () => {
      result = build(graph, ...entries)
      return result.value as T
    },
    (dy) => {
      onceOnly(name)
      const run = again ? rebuild(graph, build, inputs.length) : { graph, result: result! }
      run.result.gradient = tf.keep(tf.clone(dy))
      reverse(run.graph)
      release(graph)
      const gradients: Gradients = {}
      for (const [key, node] of run.graph.nodes) {
        if (node.gradient) unclaimed.add(node)
        gradients[key] = () => handOver(node)
      }
      return gradients
    },
  )
  const learns = [...graph.nodes.values()].some((node) => !node.fixed)
  if (!learns) settled.add(value)
  if (taped && !learns) release(graph)
  else if (again) graph.held.push(...inputs.map((input) => tf.keep(tf.clone(input)))) // share the memory
  return value
}

const newGraph = (recording: boolean): Graph => ({ recording, inputs: {}, nodes: new Map(), steps: [], held: [] })

function enter(graph: Graph, inputs: readonly Tensor[], same: readonly Tensor[] = inputs): Node[] {
  return inputs.map((value, i) => {
    graph.inputs[`input${i}`] = value
    const node: Node = { value, gradient: null, fixed: settled.has(same[i]!) }
    graph.nodes.set(`input${i}`, node)
    return node
  })
}

/** The graph again with everything kept, from the inputs that the first one held. */
function rebuild(first: Graph, build: Build, inputs: number): { graph: Graph; result: Node } {
  const graph = newGraph(true)
  open.add(graph)
  const entries = enter(graph, first.held.slice(0, inputs), Object.values(first.inputs).slice(0, inputs))
  let result: Node | null = null
  tf.tidy(() => {
    result = build(graph, ...entries)
  })
  return { graph, result: result! }
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
  dropGradient(node)
  return gradient
}

function dropGradient(node: Node): void {
  node.gradient?.dispose()
  node.gradient = null
  unclaimed.delete(node)
}

/** Frees what no reverse pass came for, and gradients nobody asked for. Called at the end of a step. */
export function releaseOpenGraphs(): void {
  for (const graph of [...open]) {
    for (const node of graph.nodes.values()) dropGradient(node)
    release(graph)
  }
  for (const node of [...unclaimed]) dropGradient(node)
}

/** A parameter; one that is frozen takes part without learning. */
export function param(graph: Graph, variable: Variable): Node {
  const key = `v${variable.id}`
  let node = graph.nodes.get(key)
  if (!node) {
    node = { value: variable, gradient: null, fixed: !variable.trainable }
    graph.nodes.set(key, node)
    if (variable.trainable) graph.inputs[key] = variable
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
