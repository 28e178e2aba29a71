import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { sentencesOf } from '../../../test/support/engine-sentences.ts'
import { engineText, useEngineTexts } from './engine-text.ts'
import { useMessages } from './messages.ts'
import { ZH_CN_ENGINE } from './zh-CN.ts'

const src = join(import.meta.dirname, '..', '..')
const SPEAKING = ['features', 'engine', 'store', 'formats', 'images', 'checkpoints', 'train', 'compute', 'model', 'runtime'].map((folder) => join('main', folder)).concat('shared')
const sources = SPEAKING.flatMap((folder) => readdirSync(join(src, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path))).filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.includes('messages'))
const presets = join(src, '..', 'configs', 'run')
const sentences = [
  ...sources.flatMap((path) => sentencesOf(path, readFileSync(join(src, path), 'utf8'))),
  // Title and summary of each preset stand on the Train screen.
  ...readdirSync(presets).flatMap((name) => Array.from(readFileSync(join(presets, name), 'utf8').matchAll(/^(?:title|summary): (.*)$/gm), ([, text]) => ({ text: text!, place: name, error: true }))),
]

const toEnglish = (): void => {
  useMessages('en', null)
  useEngineTexts({})
}

describe('what the engine says', () => {
  afterEach(toEnglish)

  test('is in Chinese wherever it is an error or its cure, and the catalogue holds no sentence that nobody says', () => {
    expect(sentences.length).toBeGreaterThan(1000)
    expect([...new Set(sentences.filter(({ error, text }) => error && !(text in ZH_CN_ENGINE)).map(({ place, text }) => `${place} ${text}`))]).toEqual([])
    const said = new Set(sentences.map(({ text }) => text))
    expect(Object.keys(ZH_CN_ENGINE).filter((sentence) => !said.has(sentence))).toEqual([])
  })

  test('uses no value in Chinese that the sentence does not have', () => {
    const places = (text: string) => new Set(text.match(/\{\d+\}/g) ?? [])
    expect(Object.entries(ZH_CN_ENGINE).filter(([sentence, text]) => text.trim() === '' || [...places(text)].some((place) => !places(sentence).has(place)))).toEqual([])
  })

  test('is found again with its values by its own sentence, not by a vaguer one', () => {
    useMessages('zh-CN', {})
    useEngineTexts(ZH_CN_ENGINE)
    // Two values side by side cannot be told apart; the Chinese has them side by side too, or leaves them out.
    const wrong = Object.entries(ZH_CN_ENGINE).filter(([sentence]) => !sentence.includes('}{')).filter(([sentence, text]) => {
      const fill = (template: string) => template.replace(/\{(\d+)\}/g, (_, n) => `4${n}`)
      return engineText(fill(sentence)) !== fill(text)
    })
    expect(wrong.map(([sentence]) => sentence)).toEqual([])
  })
})

describe('a sentence of the engine', () => {
  afterEach(toEnglish)
  const texts = { 'The image {0} is missing.': '缺少图像 {0}。', '{0} is missing.': '缺少 {0}。', 'Undo: {0}': '撤销：{0}', 'Move {0} to {1}': '把 {1} 给 {0}', 'Cost is 3 (+1).': '三' }

  test('stays English on an English page, and where it is not known', () => {
    useEngineTexts(texts)
    expect(engineText('The image a.png is missing.')).toBe('The image a.png is missing.')
    useMessages('zh-CN', {})
    expect(engineText('Nobody wrote this.')).toBe('Nobody wrote this.')
    expect(engineText('')).toBe('')
  })

  test('is known by its shape, the one that says most first, with sentences inside it', () => {
    useMessages('zh-CN', {})
    useEngineTexts(texts)
    expect(engineText('The image a (1).png is missing.')).toBe('缺少图像 a (1).png。')
    expect(engineText('b.yaml is missing.')).toBe('缺少 b.yaml。')
    expect(engineText('Undo: Move x to y')).toBe('撤销：把 y 给 x')
    expect(engineText('Cost is 3 (+1).')).toBe('三')
  })
})
