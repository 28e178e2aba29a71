/** Numbers in charts, captions and reports: true minus, fixed digits, thin words. */
const MINUS = '−'

export function plain(value: number, digits: number): string {
  const written = Math.abs(value).toFixed(digits)
  return value < 0 && Number(written) !== 0 ? MINUS + written : written
}

export function withSign(value: number, digits: number): string {
  const written = plain(value, digits)
  return value > 0 && Number(written) !== 0 ? `+${written}` : written
}

export function pText(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3)
}

export const grouped = (value: number): string => value.toLocaleString('en-US')
