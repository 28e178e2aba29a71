import { t } from '../../../shared/messages/messages.ts'
export interface ReasonCount {
  readonly reason: string
  readonly count: number
}

/** How often each reason occurs, the most frequent first. Details after a colon or in quotes are left out, so that like stands with like. */
export function reasonCounts(entries: readonly { readonly reason: string }[]): readonly ReasonCount[] {
  const counts = new Map<string, number>()
  for (const { reason } of entries) {
    const kind = reason.split(':')[0]!.replace(/["“”'][^"“”']*["“”']/g, '…').replace(/[.\s]+$/, '')
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return [...counts].map(([reason, count]) => ({ reason, count })).sort((a, b) => b.count - a.count || a.reason.localeCompare(b.reason))
}

const FLAGS: Readonly<Record<string, string>> = {
  'crosses-edge': t('box crosses the image edge'), 'outside-image': t('box outside the image'), 'no-area': t('box has no area'), inverted: t('box corners swapped'),
}

/** A flag of the import in words. */
export function flagText(flag: string): string {
  return FLAGS[flag] ?? flag.replace(/-/g, ' ')
}
