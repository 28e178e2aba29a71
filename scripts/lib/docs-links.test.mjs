/**
 * What the pages for people point to must be there: files, headings, and in the comparisons with other tools the very tests that
 * show what is claimed. A link to a test file carries the title of a test as its text.
 */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..', '..')
const pages = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: root })].map((file) => file.replaceAll('\\', '/')).sort()
/** Pages whose claims about this program are each shown by a test. */
const COMPARISONS = ['docs/curation-compared.md', 'docs/training-compared.md']

/** @param {string} file */
const read = (file) => readFileSync(join(root, file), 'utf8')

/** Without blocks of code, in which brackets mean something else. @param {string} text */
const prose = (text) => text.replace(/^```[\s\S]*?^```/gm, '')

/** Links as written, in a line or by a name that is defined at the end. @param {string} text */
function linksOf(text) {
  const plain = prose(text).replace(/`[^`\n]*`/g, (span) => span.replace(/[[\]()]/g, ' '))
  const named = new Map([...plain.matchAll(/^\[([^\]]+)\]: *(\S+)$/gm)].map(([, name = '', target = '']) => [name, target]))
  const inLine = [...plain.matchAll(/\[([^\][]*(?:\[[^\]]*\][^\][]*)*)\]\(([^()\s]+)\)/g)].map(([, words = '', target = '']) => ({ words, target }))
  const byName = [...plain.matchAll(/\[([^\][]+)\]\[([^\][]+)\]/g)].map(([, words = '', name = '']) => ({ words, target: named.get(name) ?? `undefined name ${name}` }))
  return [...inLine, ...byName, ...[...named].map(([name, target]) => ({ words: name, target }))]
}

/** Anchors of a page as they are made of its headings where such pages are usually shown. @param {string} text */
function anchorsOf(text) {
  /** @type {Map<string, number>} */
  const seen = new Map()
  return new Set([...prose(text).matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = '']) => {
    const slug = heading.trim().toLowerCase().replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-')
    const times = seen.get(slug) ?? 0
    seen.set(slug, times + 1)
    return times === 0 ? slug : `${slug}-${times}`
  }))
}

/** What is wrong with a link of a page, or nothing. @param {string} page @param {string} target */
function wrong(page, target) {
  if (/^(https?|mailto):/.test(target)) return null
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? page : relative(root, resolve(root, dirname(page), decodeURI(path))).replaceAll('\\', '/')
  if (file.startsWith('..') || !existsSync(join(root, file))) return `${target}: no such file`
  if (anchor === undefined) return null
  if (statSync(join(root, file)).isDirectory()) return `${target}: a folder has no headings`
  return anchorsOf(read(file)).has(anchor) ? null : `${target}: no such heading`
}

/** Whether a file has a test of this title; "…" at the end stands for what is put in when it runs. @param {string} source @param {string} title */
function hasTest(source, title) {
  const begun = title.endsWith('…')
  const words = title.replace(/…$/, '').trimEnd()
  for (const quote of ["'", '"', '`']) {
    const written = `${quote}${words.replaceAll(quote, `\\${quote}`)}`
    for (let at = source.indexOf(written); at >= 0; at = source.indexOf(written, at + 1)) {
      const before = source.slice(Math.max(0, source.lastIndexOf('\n', at)), at)
      const after = source.slice(at + written.length)
      if (/\b(?:it|test|describe)\b.*\($/.test(before) && (begun || after.startsWith(quote) || after.startsWith('${'))) return true
    }
  }
  return false
}

describe.each(pages)('%s', (page) => {
  it('links to what is there', () => {
    expect(linksOf(read(page)).map(({ target }) => wrong(page, target)).filter(Boolean)).toEqual([])
  })

  it('names files that are there', () => {
    const spans = [...prose(read(page)).matchAll(/`((?:src|test|docs|scripts|bin|configs|resources)\/[\w./-]+\.\w+)`/g)].map(([, path = '']) => path)
    expect(spans.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})

describe.each(COMPARISONS)('the tests named in %s', (page) => {
  const named = linksOf(read(page)).filter(({ target }) => /\.test\.(ts|tsx|mjs)$/.test(target))

  it('are many', () => expect(named.length).toBeGreaterThan(10))

  it.each(named)('$words', ({ words, target }) => {
    expect(hasTest(read(relative(root, resolve(root, dirname(page), target))), words), `${target} has no test “${words}”`).toBe(true)
  })
})

describe('this check', () => {
  it('finds what is not there', () => {
    expect(wrong('docs/formats.md', 'no-such-file.md')).toMatch(/no such file/)
    expect(wrong('docs/formats.md', '#no-such-heading')).toMatch(/no such heading/)
    expect(wrong('docs/formats.md', '#what-happens-to-bad-input')).toBeNull()
    expect(linksOf('[a][b]').map(({ target }) => target)).toEqual(['undefined name b'])
    expect(linksOf('`[a](b)` and\n```\n[c](d)\n```\n[e](f.md)')).toEqual([{ words: 'e', target: 'f.md' }])
  })

  it('takes a title for what it is', () => {
    const source = "it('keeps what is there', () => {})\nit.each([1])(`shows ${one} first`, () => {})\n// 'keeps nothing'\ntest(\"says ‘no’ once\", () => {})"
    expect(['keeps what is there', 'shows …', 'says ‘no’ once'].map((title) => hasTest(source, title))).toEqual([true, true, true])
    expect(['keeps what', 'keeps nothing', 'shows', 'is there'].map((title) => hasTest(source, title))).toEqual([false, false, false, false])
  })
})
