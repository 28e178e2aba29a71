/** HTML by a template that escapes whatever is put into it, so that nothing from data can become markup. */
import { escapeMarkup } from '../../../../shared/charts/svg.ts'

export interface Markup {
  readonly markup: string
}

type Value = string | number | Markup | null | readonly (Markup | null)[]

export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return { markup: parts.map((part, i) => part + (i < values.length ? written(values[i]!) : '')).join('') }
}

/** Text that is markup already, made by this program alone. */
export function trusted(markup: string): Markup {
  return { markup }
}

function written(value: Value): string {
  if (value === null) return ''
  if (typeof value === 'object') return 'markup' in value ? value.markup : value.map(written).join('')
  return escapeMarkup(String(value))
}
