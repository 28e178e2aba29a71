/** How numbers and changes are written in Curate. */
import type { Box } from '../../../shared/geometry.ts'
import { boxHeight, boxWidth } from '../../../shared/geometry.ts'
import { t } from '../../../shared/messages/messages.ts'

/** A coordinate: whole where it is whole, else one decimal. The value itself is never rounded. */
export function px(value: number): string {
  const rounded = Math.round(value * 10) / 10
  return (Number.isInteger(rounded) ? String(rounded) : rounded.toFixed(1)).replace('-', '−')
}

export function tone(consistency: number): 'negative' | 'warning' | 'positive' {
  return consistency < 0.4 ? 'negative' : consistency < 0.7 ? 'warning' : 'positive'
}

/** What a gesture did, for the undo tooltip and the history: "Box moved 14 px right". */
export function moveLabel(before: Box, after: Box): string {
  const dx = after[0] - before[0]
  const dy = after[1] - before[1]
  const resized = Math.abs(boxWidth(after) - boxWidth(before)) > 1e-6 || Math.abs(boxHeight(after) - boxHeight(before)) > 1e-6
  if (resized) return t('Box resized to {width} × {height}', { width: px(boxWidth(after)), height: px(boxHeight(after)) })
  const [x, across] = [px(Math.abs(dx)), dx > 0 ? 'right' : 'left']
  const [y, along] = [px(Math.abs(dy)), dy > 0 ? 'down' : 'up']
  if (dy === 0) return t('Box moved {x} px {across, select, left {left} other {right}}', { x, across })
  if (dx === 0) return t('Box moved {y} px {along, select, up {up} other {down}}', { y, along })
  return t('Box moved {x} px {across, select, left {left} other {right}}, {y} px {along, select, up {up} other {down}}', { x, across, y, along })
}

export function quote(phrase: string, most = 24): string {
  return `“${phrase.length > most ? `${phrase.slice(0, most - 1).trimEnd()}…` : phrase}”`
}

/** An id for what the page creates; version 4 UUID. crypto.randomUUID is newer than some shells. */
export function mintId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
