/** Selected places of a queue as ranges: a million rows are one range. Ranges are in order, apart, and closed on both sides. */
export type Range = readonly [number, number]
export type Ranges = readonly Range[]

export const sizeOf = (ranges: Ranges): number => ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0)
export const holds = (ranges: Ranges, index: number): boolean => ranges.some(([from, to]) => index >= from && index <= to)

export function add(ranges: Ranges, [from, to]: Range): Ranges {
  const [low, high] = from <= to ? [from, to] : [to, from]
  const near = ranges.filter(([a, b]) => b >= low - 1 && a <= high + 1)
  const merged: Range = [Math.min(low, ...near.map(([a]) => a)), Math.max(high, ...near.map(([, b]) => b))]
  return [...ranges.filter((range) => !near.includes(range)), merged].sort((a, b) => a[0] - b[0])
}

export function take(ranges: Ranges, index: number): Ranges {
  return ranges.flatMap(([from, to]): Range[] => {
    if (index < from || index > to) return [[from, to]]
    const parts: Range[] = [[from, index - 1], [index + 1, to]]
    return parts.filter(([a, b]) => a <= b)
  })
}

export const toggle = (ranges: Ranges, index: number): Ranges => (holds(ranges, index) ? take(ranges, index) : add(ranges, [index, index]))
