/**
 * Runs `map` over the items with up to `ahead` at a time and yields the results in the items' order. Reading stops when the
 * consumer stops; a failure surfaces at its own place in the order.
 */
export async function* mapInOrder<In, Out>(items: AsyncIterable<In>, ahead: number, map: (item: In) => Promise<Out>): AsyncGenerator<Out> {
  const running: Promise<Out>[] = []
  try {
    for await (const item of items) {
      const result = map(item)
      result.catch(() => undefined) // seen when its turn comes; until then it is not an unhandled rejection
      running.push(result)
      if (running.length >= ahead) yield await running.shift()!
    }
  } catch (error) {
    // What was read before the failure comes first, so that the report and the order stay true.
    while (running.length > 0) yield await running.shift()!
    throw error
  }
  while (running.length > 0) yield await running.shift()!
}
