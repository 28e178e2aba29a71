/** The rows of a comparison as CSV (RFC 4180), one a phrase: what every number was worked out from. */
import { letter } from '../../../../shared/charts/captions.ts'
import type { Comparison } from '../../../../shared/contract/compare.ts'

export function comparisonCsv({ checkpoints, rows }: Comparison): string {
  const head = ['region', 'image', 'phrase', 'split', 'boxes', 'box_area_share', 'tags', 'concepts', ...checkpoints.flatMap((_, k) => ['pointing_hit', 'consistency', 'max_margin', 'uncertain', 'match_probability'].map((name) => `${letter(k).toLowerCase()}_${name}`)), ...checkpoints.map((_, k) => `${letter(k).toLowerCase()}_checkpoint`)]
  const lines = rows.map((row) => [
    row.regionId, row.imageId, row.phrase, row.split, row.boxes, row.boxAreaShare, row.tags.join('; '), row.concepts.join('; '),
    ...row.scores.flatMap((scores) => [Number(scores.pointingHit), scores.insideEnergy, scores.maxMargin, scores.uncertain === null ? null : Number(scores.uncertain), scores.matchProbability]),
    ...checkpoints.map(({ name }) => name),
  ])
  return [head, ...lines].map((line) => `${line.map(field).join(',')}\r\n`).join('')
}

/** A spreadsheet takes text that begins with one of =+-@ for a formula: an apostrophe before it keeps it text. Numbers stay as they are. */
function field(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
