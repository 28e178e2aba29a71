/**
 * Where a JSON text is broken. JSON.parse is quick but its messages differ between engines and seldom name the place, so this
 * slow and strict reading runs only after JSON.parse refused a text.
 */
export interface JsonFault {
  /** Index into the text, in UTF-16 units. */
  readonly offset: number
  readonly reason: string
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const MAX_DEPTH = 512

/** The first fault of the text, or null when it is one whole JSON value. */
export function findJsonFault(text: string): JsonFault | null {
  let at = 0
  class Stop extends Error {}
  let fault: JsonFault | null = null
  const fail = (offset: number, reason: string): never => {
    fault = { offset, reason }
    throw new Stop()
  }
  const blank = () => {
    while (at < text.length && ' \t\n\r'.includes(text[at]!)) at++
  }
  const shown = (offset: number) => (offset >= text.length ? 'the end' : JSON.stringify(String.fromCodePoint(text.codePointAt(offset)!)))

  const string = () => {
    const start = at++
    for (;;) {
      if (at >= text.length) fail(start, 'the text that begins here has no closing quote')
      const unit = text.charCodeAt(at)
      if (unit === 0x22) return void at++
      if (unit < 0x20) fail(at, unit === 10 || unit === 13 ? 'a line break inside a text (is a closing quote missing?)' : 'a control character inside a text')
      if (unit === 0x5c) {
        const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y
        escape.lastIndex = at
        if (!escape.test(text)) fail(at, 'a backslash that begins no known escape (write \\\\ for a backslash)')
        at = escape.lastIndex
      } else at++
    }
  }
  const value = (depth: number): void => {
    blank()
    const c = text[at]
    if (c === undefined) fail(at, 'a value is missing at the end')
    else if (c === '{' || c === '[') {
      if (depth > MAX_DEPTH) fail(at, 'it is nested too deeply')
      list(c === '{', depth)
    } else if (c === '"') string()
    else if (c === '-' || (c >= '0' && c <= '9')) {
      NUMBER.lastIndex = at
      if (!NUMBER.test(text)) fail(at, /^-?Infinity/.test(text.slice(at, at + 9)) ? 'Infinity is not a JSON number' : 'this is not a JSON number')
      at = NUMBER.lastIndex
    } else {
      const word = /[A-Za-z_$][\w$]*/y
      word.lastIndex = at
      const name = word.exec(text)?.[0]
      if (name === 'true' || name === 'false' || name === 'null') at += name.length
      else if (name) fail(at, `${name} is not JSON${name === 'NaN' || name === 'Infinity' ? ' (numbers must be finite)' : ''}`)
      else fail(at, c === "'" ? 'texts need double quotes' : `a value is missing before ${shown(at)}`)
    }
  }
  const list = (isObject: boolean, depth: number) => {
    const close = isObject ? '}' : ']'
    const start = at++
    blank()
    if (text[at] === close) return void at++
    for (;;) {
      if (isObject) {
        blank()
        if (text[at] !== '"') fail(at, at >= text.length ? 'the object has no closing }' : `a field name in double quotes is missing before ${shown(at)}`)
        string()
        blank()
        if (text[at] !== ':') fail(at, `a colon is missing before ${shown(at)}`)
        at++
      }
      value(depth + 1)
      blank()
      if (text[at] === close) return void at++
      if (at >= text.length) fail(start, `this ${isObject ? 'object' : 'list'} has no closing ${close}`)
      if (text[at] !== ',') fail(at, `a comma or ${close} is missing before ${shown(at)}`)
      at++
    }
  }
  try {
    value(0)
    blank()
    if (at < text.length) fail(at, `a comma is missing before ${shown(at)}`)
  } catch (error) {
    if (!(error instanceof Stop)) throw error
  }
  return fault
}
