/** A picture as plain data: the page draws it as elements, a report and a file as text. Whatever it holds is escaped when it becomes text. */
export interface SvgNode {
  readonly tag: 'svg' | 'g' | 'line' | 'rect' | 'circle' | 'path' | 'text' | 'title' | 'desc'
  readonly attributes: Readonly<Record<string, string | number>>
  readonly children: readonly (SvgNode | string)[]
}

export function node(tag: SvgNode['tag'], attributes: SvgNode['attributes'] = {}, children: SvgNode['children'] = []): SvgNode {
  return { tag, attributes, children }
}

/** The root of a chart, with what it shows in words. The ids are of this chart alone. */
export function chart(id: string, size: { readonly width: number; readonly height: number }, words: { readonly title: string; readonly description: string }, ink: ChartInk, children: readonly SvgNode[]): SvgNode {
  return node('svg', {
    xmlns: 'http://www.w3.org/2000/svg', width: size.width, height: size.height, viewBox: `0 0 ${size.width} ${size.height}`, role: 'img', 'aria-labelledby': `${id}-title ${id}-desc`,
    'font-family': ink.font, 'font-size': 11, 'font-variant-numeric': 'tabular-nums',
  }, [node('title', { id: `${id}-title` }, [words.title]), node('desc', { id: `${id}-desc` }, [words.description]), ...children])
}

export interface ChartInk {
  readonly text: string
  readonly quiet: string
  readonly grid: string
  /** What is clear stands in the colour of the one in question, what is not in grey. */
  readonly clear: string
  readonly unclear: string
  /** Of the checkpoints A to D. */
  readonly series: readonly [string, string, string, string]
  readonly font: string
}

/** In the page: its tokens, so that both themes hold. */
export const PAGE_INK: ChartInk = { text: 'var(--text-1)', quiet: 'var(--text-3)', grid: 'var(--grid-line)', clear: 'var(--series-2)', unclear: 'var(--text-3)', series: ['var(--series-0)', 'var(--series-2)', 'var(--series-3)', 'var(--series-4)'], font: 'var(--font-ui)' }
/** On white paper, needing nothing else. */
export const PAPER_INK: ChartInk = { text: '#1b1b1b', quiet: '#595959', grid: '#dddddd', clear: '#b06000', unclear: '#757575', series: ['#666666', '#b06000', '#005c46', '#7a1160'], font: 'Inter, system-ui, "Liberation Sans", sans-serif' }

export function text(x: number, y: number, content: string, attributes: SvgNode['attributes'] = {}): SvgNode {
  return node('text', { x, y, ...attributes }, [content])
}

/** About as wide as a character of 11 px is on average; names are measured by it where nothing can measure them. */
const CHARACTER_PX = 6.5

/** A name cut to a width, with its end kept: checkpoints of a run differ in theirs. The caption has it whole. */
export function fitted(name: string, widthPx: number): string {
  const room = Math.max(3, Math.floor(widthPx / CHARACTER_PX))
  const letters = [...name]
  if (letters.length <= room) return name
  const end = Math.floor((room - 1) / 2)
  return `${letters.slice(0, room - 1 - end).join('')}…${letters.slice(letters.length - end).join('')}`
}

export function toMarkup({ tag, attributes, children }: SvgNode): string {
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escapeMarkup(typeof value === 'number' ? short(value) : value)}"`).join('')
  return `<${tag}${written}>${children.map((child) => (typeof child === 'string' ? escapeMarkup(child) : toMarkup(child))).join('')}</${tag}>`
}

const short = (value: number): string => String(Math.round(value * 100) / 100)

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text as it may stand anywhere in HTML or XML, in an attribute too. What no document may hold becomes a question mark. */
export function escapeMarkup(content: string): string {
  return content.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd').replace(/[&<>"']/g, (sign) => ENTITIES[sign]!)
}
