import { describe, expect, it } from 'vitest'
import { forestChart, niceTicks } from '../../../../shared/charts/forest.ts'
import { escapeMarkup, PAPER_INK, toMarkup } from '../../../../shared/charts/svg.ts'
import type { Comparison, CompareRow } from '../../../../shared/contract/compare.ts'
import type { Tested } from '../../../../shared/charts/trust.ts'
import { compareScores } from '../statistics.ts'
import { parseCsv } from '../../../../../test/support/csv.ts'
import { comparisonCsv } from './csv.ts'
import { reportDocument } from './document.ts'

const HOSTILE = `<script>alert("1")</script>'"&<img src=x onerror=alert(2)>\u0000\u202e`

async function comparison(name: (k: number) => string, phrase: string, checkpoints = 3): Promise<Comparison> {
  const rows = Array.from({ length: 60 }, (_, i): CompareRow => ({
    regionId: `r${i}`, imageId: `i${i >> 1}`, phrase: i === 0 ? phrase : 'a red dog', split: i % 2 ? 'val' : 'test', boxAreaShare: 0.1, boxes: 1, tags: i % 3 ? [] : [phrase], concepts: [],
    scores: Array.from({ length: checkpoints }, (_, k) => ({ pointingHit: (i * 7 + k * 3) % 5 > 1 - k, insideEnergy: ((i * 13 + k * 29) % 100) / 100, maxMargin: 0.1, uncertain: false, matchProbability: 0.5 })),
  }))
  const { means, ...statistics } = await compareScores(rows, checkpoints, { draws: 300, seed: 7 })
  return {
    protocol: 'AMC strict', title: name(9), source: 'project', total: 64, withoutAnswer: 1, missing: 3, regions: 60, images: 30, rows, notes: [`A note: ${phrase}`],
    checkpoints: Array.from({ length: checkpoints }, (_, k) => ({ id: `c${k}`, name: name(k), missing: 0, means: means[k]! })), ...statistics,
  }
}

const make = async (text: string) => {
  const compared = await comparison((k) => `${text}${k}`, text)
  const example = { row: compared.rows[0]!, cell: 'fixed' as const, a: 'data:image/jpeg;base64,AAAA', b: null, why: text }
  const run = { runId: 'x', name: text, step: 3, regions: 4, startCheckpoint: text }
  const difference = { a: run, b: run, config: [{ key: text, label: text, a: text, b: null }], data: { same: 1, revised: 0, onlyA: 0, onlyB: 0, regions: [], listed: 0 } }
  return { compared, html: reportDocument({ comparison: compared, kind: 'BCa', version: text, madeAt: '2024-01-01T00:00:00Z', examples: compared.pairs.map(() => [example]), differences: compared.pairs.map(() => difference), tested: [testedAs(text)] }) }
}

const testedAs = (text: string): Tested => ({
  place: 1, name: text,
  result: {
    checkpointId: 'c1', datasetId: 'd', viewId: null, split: null, explainer: { name: 'gradcam', target: 'itm', layer: 1 }, protocol: 'AMC strict', measuredAt: '', samples: 8, of: 60, seed: 3, skipped: [],
    deletion: { area: 0.31, curve: [0.9, 0.2] }, insertion: { area: 0.72, curve: [0.1, 0.8] }, randomisation: [{ stage: text, correlation: 0.5 }, { stage: 'all', correlation: 0.04 }], shifts: { pixels: 4, correlation: 0.93 },
  },
})

describe('the report', () => {
  it('lets nothing from data become markup', async () => {
    const { html } = await make(HOSTILE)
    const { html: tame } = await make('tame and calm')
    // The same elements in the same order, whatever the words are.
    const tags = (text: string) => [...text.matchAll(/<\/?([a-zA-Z][\w-]*)/g)].map((found) => found[1])
    expect(tags(html)).toEqual(tags(tame))
    expect(html).not.toContain('<script')
    expect(html).not.toContain('\u0000')
    expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;')
    // No attribute is made of it either: every handler and address that is there is ours.
    expect([...html.matchAll(/<[^>]*\son\w+=/g)]).toEqual([])
    expect([...html.matchAll(/\b(?:src|href)="([^"]*)"/g)].every((found) => found[1]!.startsWith('data:image/jpeg;base64,'))).toBe(true)
  })

  it('needs nothing from anywhere, and shows both themes', async () => {
    const { html } = await make('plain')
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|\burl\(|@import|<link|<script/)
    expect(html).toContain(`default-src 'none'`)
    expect(html).toContain('prefers-color-scheme: dark')
  })

  it('says with every number what it is of: n, protocol, interval, draws and seed', async () => {
    const { html, compared } = await make('plain')
    for (const part of ['n = 60 phrases of 30 images', 'AMC strict', '300 draws of whole images, seed 7', '3 not scored by all', '1 without a phrase or box', '64 regions asked for = 60 compared + 3', 'adjusted by Holm', 'Benjamini-Hochberg']) expect(html).toContain(part)
    for (const pair of compared.pairs) expect(html).toContain(`fixed ${pair.matrix.fixed}</td>`)
    const { change } = compared.pairs[0]!.headline.pointingGame
    expect(html).toContain(`<strong>${change > 0 ? '+' : change < 0 ? '−' : ''}${Math.abs(change * 100).toFixed(2)}</strong>`)
    expect(html.match(/<svg/g)!.length).toBe(4 + 3 * 3)
    expect(html.match(/<figcaption>/g)!.length).toBe(4 + 3 * 3)
    // Tests of the explanation, of those that have them.
    for (const part of ['8 of 60 regions drawn with seed 3', '<td class="n">–</td><td class="n">0.310</td><td class="n">–</td>', '0.930</td>', 'B 0.040; near 0']) expect(html).toContain(part)
  })
})

describe('rows as CSV', () => {
  it('reads back as what went in, and no text is a formula', async () => {
    const compared = await comparison((k) => `c${k}`, `=HYPERLINK("x"),\r\nline "two"`)
    const lines = parseCsv(comparisonCsv(compared))
    expect(lines).toHaveLength(61)
    const [head, first, second] = lines as [string[], string[], string[]]
    expect(lines.every((line) => line.length === head.length)).toBe(true)
    expect(first[head.indexOf('phrase')]).toBe(`'=HYPERLINK("x"),\r\nline "two"`)
    expect(second[head.indexOf('phrase')]).toBe('a red dog')
    expect(Number(second[head.indexOf('b_consistency')])).toBe(compared.rows[1]!.scores[1]!.insideEnergy)
    expect(lines.slice(1).filter((line) => line[head.indexOf('a_pointing_hit')] === '0' && line[head.indexOf('b_pointing_hit')] === '1')).toHaveLength(compared.pairs[0]!.matrix.fixed)
  })
})

describe('charts', () => {
  it('escape what XML forbids too', () => {
    expect(escapeMarkup(`a<b>&"'\u0001\ud800z`)).toBe('a&lt;b&gt;&amp;&quot;&#39;\ufffd\ufffdz')
    expect(escapeMarkup('smile 😀')).toBe('smile 😀')
  })

  it('have ticks around zero and every value', () => {
    for (const values of [[3, 17], [-0.2, 0.1], [0], [-50, -3], [1e-6]]) {
      const ticks = niceTicks(values)
      expect(ticks).toContain(0)
      expect(ticks[0]!).toBeLessThanOrEqual(Math.min(0, ...values))
      expect(ticks.at(-1)!).toBeGreaterThanOrEqual(Math.max(0, ...values))
      expect(ticks.length).toBeLessThan(10)
    }
  })

  it('draw a row without an interval as one, and say so', () => {
    const svg = toMarkup(forestChart('x', [{ group: 'G', name: 'few', regions: 3, change: 10, interval: null, p: 1 }, { group: 'G', name: 'many', regions: 300, change: 12, interval: { low: 5, high: 20 }, p: 0.001 }], { title: 't', description: 'd', axis: 'a', nameHead: 'h', pHead: 'p' }, PAPER_INK))
    expect(svg).toContain('[too few images]')
    expect(svg).toContain('[+5.0, +20.0]')
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true)
    expect(svg).toContain('aria-labelledby="x-title x-desc"')
  })
})
