/** Numbers and times as people read them: true minus, thin groups, units in full where there is room. */
import type { Job } from '../../shared/domain.ts'
import { currentLanguage, t } from '../../shared/messages/messages.ts'

export const MINUS = '−'

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** 1284006 -> "1,284,006". */
export function count(value: number): string {
  return grouped.format(Math.round(value)).replace('-', MINUS)
}

/** Fixed digits with a true minus; never "−0.00". */
export function fixed(value: number, digits = 2): string {
  if (!Number.isFinite(value)) return '–'
  const text = Math.abs(value).toFixed(digits)
  return value < 0 && Number(text) !== 0 ? MINUS + text : text
}

/** The same with a plus where it is one: "+0.19", "−5.7", "0.00". */
export function signed(value: number, digits = 2): string {
  const text = fixed(value, digits)
  return Number.isFinite(value) && value > 0 && Number(text) !== 0 ? `+${text}` : text
}

/** A share of 1 as percent: 0.864 -> "86.4 %". */
export function percent(share: number, digits = 0): string {
  return Number.isFinite(share) ? `${fixed(share * 100, digits)} %` : '–'
}

/** A measured value of any size with three or four figures: 3.42, 0.021, 1.0e-5, 12,400. */
export function measured(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size < 0.001) return value.toExponential(1).replace(/-/g, (_, at: number) => (at === 0 ? MINUS : '-'))
  if (size >= 10_000) return count(value)
  return fixed(value, size < 0.1 ? 3 : size < 100 ? 2 : 1)
}

/** 15966 -> "16k" for axes. */
export function short(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e6) return `${trim(value / 1e6)}M`
  if (size >= 1e3) return `${trim(value / 1e3)}k`
  return trim(value)
}

function trim(value: number): string {
  return String(Number(value.toFixed(1))).replace('-', MINUS)
}

/** "8 s", "4 min 10 s", "1 h 21 min", "3 d 4 h". */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '–'
  const total = Math.max(0, Math.round(seconds))
  if (total < 60) return `${total} s`
  if (total < 600) return `${Math.floor(total / 60)} min${total % 60 ? ` ${total % 60} s` : ''}`
  if (total < 3600) return `${Math.round(total / 60)} min`
  const minutes = Math.round(total / 60)
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`
  const hours = Math.round(minutes / 60)
  return `${Math.floor(hours / 24)} d${hours % 24 ? ` ${hours % 24} h` : ''}`
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Decimal units: 1_900_000_000 -> "1.9 GB". */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return '–'
  let amount = Math.max(0, value)
  let unit = 0
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1000
    unit++
  }
  return `${unit === 0 || amount >= 99.5 ? amount.toFixed(0) : amount.toFixed(1)} ${UNITS[unit]}`
}

/** Parameters of a model: 209_900_000 -> "209.9 M". */
export function parameters(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} B`
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`
  if (value >= 1e3) return `${(value / 1e3).toFixed(1)} k`
  return String(value)
}

/** Names in a row, as the language strings them together: "a, b", "a、b". */
export function listed(names: readonly string[]): string {
  return names.join(currentLanguage() === 'zh-CN' ? '、' : ', ')
}

/** Clock time today, else the day: "13:52", "3 Nov". */
export function when(iso: string, now: Date = new Date()): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return '–'
  const sameDay = date.toDateString() === now.toDateString()
  if (sameDay) return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`
  const sameYear = date.getFullYear() === now.getFullYear()
  if (currentLanguage() !== 'en') return new Intl.DateTimeFormat(currentLanguage(), { month: 'short', day: 'numeric', ...(sameYear ? {} : { year: 'numeric' }) }).format(date)
  const month = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'][date.getMonth()]
  return `${date.getDate()} ${month}${sameYear ? '' : ` ${date.getFullYear()}`}`
}

/** A probability of a test: "< 0.001", "0.032". */
export function pValue(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(p < 0.1 ? 3 : 2)
}

/** How far it is: "12 of 300 images". */
export function progressText({ done, total, unit }: Pick<Job, 'done' | 'total' | 'unit'>): string {
  const values = { done: count(done), total: count(total) }
  switch (unit) {
    case 'images': return t('{done} of {total} images', values)
    case 'regions': return t('{done} of {total} regions', values)
    case 'steps': return t('{done} of {total} steps', values)
    case 'files': return t('{done} of {total} files', values)
    default: return unit ? `${t('{done} of {total}', values)} ${unit}` : t('{done} of {total}', values)
  }
}
