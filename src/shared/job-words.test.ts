import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Job } from './domain.ts'
import { useEngineTexts } from './messages/engine-text.ts'
import { useMessages } from './messages/messages.ts'
import { ZH_CN, ZH_CN_ENGINE } from './messages/zh-CN.ts'
import { jobTitle } from './job-words.ts'

const main = join(import.meta.dirname, '..', 'main')
const sources = ['features', 'engine'].flatMap((folder) => readdirSync(join(main, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(main, folder, path)))
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
/** Titles that the engine gives its jobs, with a name wherever it puts a value in. */
const titles = sources.flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/kind: '(\w+)', title: ['`](.+)['`], lane:/g)].map(([, kind, template]) => ({ kind: kind as Job['kind'], template: template! })))

/** A template as it may turn out: each choice of words within it, names for the rest. */
function outcomes(template: string): string[] {
  const choice = /\$\{\w+ \? '(\w+)' : '(\w+)'\}/.exec(template)
  if (choice) return [choice[1]!, choice[2]!].flatMap((word) => outcomes(template.replace(choice[0], word)))
  // A part that may be left out holds a value of its own; it is a name like others.
  return [template.replace(/\$\{(?:[^{}]|\{[^{}]*\}|\$\{[^{}]*\})*\}/g, 'any name')]
}

describe('the engine’s names for its work', () => {
  afterEach(() => {
    useMessages('en', null)
    useEngineTexts({})
  })

  it('stay what they are in English', () => {
    expect(titles.length).toBeGreaterThan(6)
    for (const { kind, template } of titles) for (const title of outcomes(template)) expect(jobTitle({ kind, title })).toBe(title)
  })

  it('are all known, so that none is left in English', () => {
    useMessages('zh-CN', ZH_CN)
    useEngineTexts(ZH_CN_ENGINE)
    const left = titles.flatMap(({ kind, template }) => outcomes(template).map((title) => jobTitle({ kind, title }))).map((text) => text.replaceAll('any name', ''))
    expect(left.filter((text) => /[A-Za-z]{2}/.test(text))).toEqual([])
    expect(jobTitle({ kind: 'import', title: 'Import birds' })).toBe('导入 birds')
    expect(jobTitle({ kind: 'train', title: 'My run' })).toBe('My run')
  })
})
