/** Orders of heatmaps, and how alike two of them are. */

/** Indices by falling value; equal ones in the order in which they stand. */
export function firstRowMajorOrder(values: ArrayLike<number>): number[] {
  return Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b)
}

/**
 * Spearman's rank correlation; ties share their mean rank. Where a map is the same everywhere it has no ranks: two such maps are as alike as can be (1),
 * one such map and another have nothing in common (0).
 */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [x, y] = [ranks(a), ranks(b)]
  const mean = (a.length + 1) / 2
  let [xy, xx, yy] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    const [dx, dy] = [x[i]! - mean, y[i]! - mean]
    xy += dx * dy
    xx += dx * dx
    yy += dy * dy
  }
  if (xx === 0 || yy === 0) return xx === yy ? 1 : 0
  return xy / Math.sqrt(xx * yy)
}

function ranks(values: ArrayLike<number>): Float64Array {
  const order = firstRowMajorOrder(values).reverse()
  const result = new Float64Array(values.length)
  for (let i = 0; i < order.length; ) {
    let end = i
    while (end < order.length && values[order[end]!] === values[order[i]!]) end++
    for (let j = i; j < end; j++) result[order[j]!] = (i + 1 + end) / 2
    i = end
  }
  return result
}
