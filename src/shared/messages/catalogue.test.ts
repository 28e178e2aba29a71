/** The catalogue against the source: every message is there, in every language, with the values it is given. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { IntlMessageFormat } from 'intl-messageformat'
import { afterEach, describe, expect, test } from 'vitest'
import { t, tRich, useMessages } from './messages.ts'
import { messagesOf } from '../../../test/support/source-messages.ts'
import { ZH_CN } from './zh-CN.ts'

const src = join(import.meta.dirname, '..', '..')
const files = ['renderer', 'shared'].flatMap((folder) => readdirSync(join(src, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)))
const sources = files.filter((path) => /\.tsx?$/.test(path) && !/\.test\.tsx?$/.test(path) && !path.startsWith(join('shared', 'messages')))
const found = sources.flatMap((path) => messagesOf(path, readFileSync(join(src, path), 'utf8')))
const keys = new Set(found.map(({ key }) => key))

type Part = ReturnType<IntlMessageFormat['getAst']>[number]
/** Kinds of parts, as the parser numbers them. */
const [LITERAL, POUND] = [0, 7]

/** Names of values and tags in a message, sorted. */
function namesIn(message: string): readonly string[] {
  const names = new Set<string>()
  const walk = (parts: readonly Part[]): void => {
    for (const part of parts) {
      if ('children' in part) walk(part.children)
      if ('options' in part) for (const option of Object.values(part.options)) walk(option.value)
      if (part.type !== LITERAL && part.type !== POUND && 'value' in part) names.add(part.value)
    }
  }
  walk(new IntlMessageFormat(message, 'en').getAst())
  return [...names].sort()
}

describe('every message of the page', () => {
  test('is a literal, so that it can be translated', () => {
    expect(found.filter(({ problem }) => problem !== undefined).map(({ place, problem }) => `${place} ${problem}`)).toEqual([])
  })

  test('is in Chinese, and the catalogue holds no other', () => {
    expect(found.filter(({ key }) => !(key in ZH_CN)).map(({ place, key }) => `${place} ${key}`)).toEqual([])
    expect(Object.keys(ZH_CN).filter((key) => !keys.has(key))).toEqual([])
  })

  test('keeps its values and tags in Chinese', () => {
    const wrong = Object.entries(ZH_CN).filter(([key, text]) => {
      const message = key.replace(/^[a-z ]+::/, '')
      // Without values a message is shown as it is written.
      const plain = found.every((one) => one.key !== key || !one.formatted)
      return plain ? text.trim() === '' : JSON.stringify(namesIn(message)) !== JSON.stringify(namesIn(text))
    })
    expect(wrong).toEqual([])
  })

  test('is in one part of the catalogue only', () => {
    const folder = join(src, 'shared', 'messages')
    const parts = readdirSync(folder).filter((name) => /^zh-CN\.(?!engine)\w+\.json$/.test(name))
    const all = parts.flatMap((name) => Object.keys(JSON.parse(readFileSync(join(folder, name), 'utf8')) as object))
    expect(all.filter((key, i) => all.indexOf(key) !== i)).toEqual([])
    expect(all).toHaveLength(Object.keys(ZH_CN).length)
  })
})

describe('a message', () => {
  afterEach(() => useMessages('en', null))

  test('is English without any set-up, with its values and numbers put in', () => {
    expect(t('Nothing here')).toBe('Nothing here')
    expect(t('{n, plural, one {# box} other {# boxes}} of {name}', { n: 1, name: 'a < b' })).toBe('1 box of a < b')
    expect(t('{n, plural, one {# box} other {# boxes}}', { n: 12_345 })).toBe('12,345 boxes')
  })

  test('is taken from the catalogue, by its context where it has one, and stays English where it is missing', () => {
    useMessages('zh-CN', { Open: '打开', 'state::Open': '未完成', '{n, plural, one {# box} other {# boxes}}': '{n, plural, other {# 个框}}' })
    expect([t('Open'), t('Open', undefined, 'state'), t('Close'), t('{n, plural, one {# box} other {# boxes}}', { n: 3 })]).toEqual(['打开', '未完成', 'Close', '3 个框'])
  })

  test('may have parts that are more than text', () => {
    expect(tRich<string | { key: string }>('Press <key>A</key> or {other}', { key: (inside) => ({ key: inside.join('') }), other: 'B' })).toEqual(['Press ', { key: 'A' }, ' or B'])
  })
})
