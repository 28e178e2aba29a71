/** JSON that remembers which of its values were looked at, so that what nobody looks at can be named. */

export interface TrackedJson {
  /** The same data behind a watch; reading a value marks it. */
  readonly value: unknown
  /** Paths of the values nobody has read, like `losses.f32[0].total`. An empty list or object counts as one value. */
  unread(): string[]
}

export function trackJson(root: unknown): TrackedJson {
  const holder = { root }
  const read = new Map<object, Set<string>>()
  const watched = new WeakMap<object, object>()
  const mark = (container: object, key: string): void => {
    const keys = read.get(container) ?? new Set()
    read.set(container, keys.add(key))
  }
  const watch = (container: object): object => {
    const known = watched.get(container)
    if (known) return known
    const proxy = new Proxy(container, {
      get: (target, key, receiver): unknown => {
        const value: unknown = Reflect.get(target, key, receiver)
        if (typeof key === 'symbol' || !Object.hasOwn(target, key)) return value
        if (isLeaf(value)) {
          mark(target, key)
          return value
        }
        return watch(value as object)
      },
      set: () => false,
    })
    watched.set(container, proxy)
    return proxy
  }
  return {
    value: (watch(holder) as typeof holder).root,
    unread: () => (isLeaf(root) ? [] : leavesOf(root as object, '')).flatMap(({ path, container, key }) => (read.get(container)?.has(key) ? [] : [path])),
  }
}

interface Leaf {
  readonly path: string
  readonly container: object
  readonly key: string
}

function leavesOf(container: object, path: string): Leaf[] {
  return Object.entries(container).flatMap(([key, value]: [string, unknown]): Leaf[] => {
    const at = Array.isArray(container) ? `${path}[${key}]` : path ? `${path}.${key}` : key
    return isLeaf(value) ? [{ path: at, container, key }] : leavesOf(value as object, at)
  })
}

function isLeaf(value: unknown): boolean {
  return typeof value !== 'object' || value === null || Object.keys(value).length === 0
}
