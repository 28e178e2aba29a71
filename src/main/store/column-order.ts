/** Orders of columns of numbers: a million keys in tens of milliseconds, where comparing takes half a second. */

/** Below this, comparing is as quick. */
const FEW = 4096
const BUCKETS = 65_536

/** The entries of `picked` in the order of their keys, lowest first; equal keys stay in the order they came in. */
export function orderByKey(picked: Int32Array, keyOf: (entry: number) => number): Int32Array {
  if (picked.length < FEW) {
    const keys = new Map(Array.from(picked, (entry) => [entry, keyOf(entry)] as const))
    return picked.slice().sort((a, b) => keys.get(a)! - keys.get(b)!)
  }
  const halves = sortableBits(picked, keyOf)
  let [from, to]: [Int32Array, Int32Array] = [Int32Array.from(picked.keys()), new Int32Array(picked.length)]
  // The lower half first, each in two steps of 16 bits, so that every step keeps what the one before it did.
  for (const half of halves) {
    for (const shift of [0, 16]) {
      const starts = new Int32Array(BUCKETS + 1)
      for (const bits of half) starts[((bits >>> shift) & 0xffff) + 1]!++
      if (starts.includes(picked.length)) continue // all keys have the same bits here
      for (let i = 0; i < BUCKETS; i++) starts[i + 1]! += starts[i]!
      for (const place of from) to[starts[(half[place]! >>> shift) & 0xffff]!++] = place
      ;[from, to] = [to, from]
    }
  }
  return from.map((place) => picked[place]!)
}

/** Lower and upper halves of the keys' bits, turned so that they compare as the keys do. */
function sortableBits(picked: Int32Array, keyOf: (entry: number) => number): readonly [Uint32Array, Uint32Array] {
  const [low, high] = [new Uint32Array(picked.length), new Uint32Array(picked.length)]
  const key = new Float64Array(1)
  const bits = new Uint32Array(key.buffer)
  for (let i = 0; i < picked.length; i++) {
    key[0] = keyOf(picked[i]!) + 0 // minus nought is nought
    const negative = bits[1]! >>> 31 === 1
    low[i] = negative ? ~bits[0]! : bits[0]!
    high[i] = negative ? ~bits[1]! : bits[1]! | 0x80000000
  }
  return [low, high]
}
