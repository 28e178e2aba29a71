/** Figures known of a checkpoint: their names hold the protocol after the first comma, "pointing game, AMC strict, demo val". */
import { t } from '../../../shared/messages/messages.ts'
import { fixed, percent } from '../../app/format.ts'
import type { Checkpoint } from '../../../shared/domain.ts'

export function protocolOf(name: string): { readonly metric: string; readonly protocol: string } {
  const comma = name.indexOf(',')
  return comma < 0 ? { metric: name, protocol: '' } : { metric: name.slice(0, comma), protocol: name.slice(comma + 1).trim() }
}

/** A metric that is known, in the language of the page; the name itself is a key and stays. */
export function metricWord(metric: string): string {
  switch (metric) {
    case 'pointing game': return t('pointing game')
    case 'consistency': return t('consistency')
    case 'match probability': return t('match probability')
    case 'match AUC': return t('match AUC')
    default: return metric
  }
}

/** The pointing game is a share of phrases and reads best as percent; everything else as a plain number. */
export function metricText(name: string, value: number | undefined): string {
  if (value === undefined) return '–'
  return /pointing/i.test(name) && value >= 0 && value <= 1 ? percent(value, 1) : fixed(value, 2)
}

/** The metrics most checkpoints have, at most `limit`, in a steady order. */
export function metricColumns(checkpoints: readonly Pick<Checkpoint, 'metrics'>[], limit: number): readonly string[] {
  const seen = new Map<string, number>()
  for (const checkpoint of checkpoints) for (const name of Object.keys(checkpoint.metrics)) seen.set(name, (seen.get(name) ?? 0) + 1)
  return [...seen].sort((a, b) => b[1] - a[1] || Number(/pointing/i.test(b[0])) - Number(/pointing/i.test(a[0])) || a[0].localeCompare(b[0])).slice(0, limit).map(([name]) => name)
}
