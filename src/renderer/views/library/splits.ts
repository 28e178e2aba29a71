/** The parts of a split bar: train, val and test first and always in the same colours, whatever else there is after them. */
const KNOWN: Readonly<Record<string, string>> = { train: 'var(--series-0)', val: 'var(--series-1)', test: 'var(--series-2)' }
const OTHERS = ['var(--series-3)', 'var(--series-4)', 'var(--text-3)'] as const
const ORDER = ['train', 'val', 'test']

export interface SplitShare {
  readonly name: string
  readonly images: number
  /** Of all, 0 to 1. */
  readonly share: number
  readonly colour: string
}

export function splitShares(splits: Readonly<Record<string, number>>): readonly SplitShare[] {
  const total = Object.values(splits).reduce((sum, n) => sum + n, 0)
  const names = Object.keys(splits).filter((name) => splits[name]! > 0).sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
  let other = 0
  return names.map((name) => ({
    name, images: splits[name]!, share: total > 0 ? splits[name]! / total : 0, colour: KNOWN[name] ?? OTHERS[Math.min(other++, OTHERS.length - 1)]!,
  }))
}

function rank(name: string): number {
  const at = ORDER.indexOf(name)
  return at < 0 ? ORDER.length : at
}
