/** The exact test of paired hits, and corrections for testing more than once. */

/** Exact McNemar: two-sided binomial test that a changed region is as often broken as fixed. */
export function exactMcNemar(fixed: number, broken: number): number {
  const n = fixed + broken
  const low = Math.min(fixed, broken)
  if (n === 0) return 1
  let logTerm = -n * Math.LN2 // log of C(n, 0) / 2^n
  let sum = Math.exp(logTerm)
  for (let k = 1; k <= low; k++) {
    logTerm += Math.log((n - k + 1) / k)
    sum += Math.exp(logTerm)
  }
  return Math.min(1, 2 * sum)
}

/** Holm (1979): adjusted p-values that hold the chance of even one false finding. In the order given. */
export function holm(p: readonly number[]): number[] {
  const order = ascending(p)
  const adjusted = new Array<number>(p.length)
  let most = 0
  order.forEach((at, rank) => {
    most = Math.max(most, Math.min(1, (p.length - rank) * p[at]!))
    adjusted[at] = most
  })
  return adjusted
}

/** Benjamini and Hochberg (1995): adjusted p-values that hold the expected share of false findings among the findings. In the order given. */
export function benjaminiHochberg(p: readonly number[]): number[] {
  const order = ascending(p)
  const adjusted = new Array<number>(p.length)
  let least = 1
  for (let rank = order.length - 1; rank >= 0; rank--) {
    const at = order[rank]!
    least = Math.min(least, (p.length / (rank + 1)) * p[at]!)
    adjusted[at] = least
  }
  return adjusted
}

function ascending(p: readonly number[]): number[] {
  return p.map((_, i) => i).sort((a, b) => p[a]! - p[b]!)
}
