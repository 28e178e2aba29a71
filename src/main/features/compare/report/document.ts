/** A comparison as one HTML file that needs nothing else: both themes, charts as SVG, small pictures inline, every number with its n, protocol, interval and seed. */
import {
  basis, changeWords, ends, howIntervals, type IntervalKind, letter, matrixCaption, nameOf, pairRows, pairsWords, reportTitle, scatterWords, sliceRows, sliceWords,
} from '../../../../shared/charts/captions.ts'
import { forestChart } from '../../../../shared/charts/forest.ts'
import { grouped, plain, pText, withSign } from '../../../../shared/charts/numbers.ts'
import { changeChart, type Point2, scatterChart } from '../../../../shared/charts/spread.ts'
import { type ChartInk, type SvgNode, toMarkup } from '../../../../shared/charts/svg.ts'
import type { Tested } from '../../../../shared/charts/trust.ts'
import type { Comparison, CompareInterval, ComparePair, Measure, RunDifference } from '../../../../shared/contract/compare.ts'
import { html, type Markup, trusted } from './markup.ts'
import type { Example } from './pictures.ts'
import { STYLE } from './style.ts'
import { trustSection } from './trust.ts'

export interface ReportInput {
  readonly comparison: Comparison
  readonly kind: IntervalKind
  readonly version: string
  /** ISO time. */
  readonly madeAt: string
  /** Of each pair, in their order. */
  readonly examples: readonly (readonly Example[])[]
  readonly differences: readonly (RunDifference | null)[]
  /** Tests of the explanation that are stored. */
  readonly tested: readonly Tested[]
}

/** The report's own variables, so that charts follow its theme. */
const INK: ChartInk = { text: 'var(--text)', quiet: 'var(--quiet)', grid: 'var(--grid)', clear: 'var(--clear)', unclear: 'var(--unclear)', series: ['var(--series-a)', 'var(--series-b)', 'var(--series-c)', 'var(--series-d)'], font: 'inherit' }

const MEASURE_NAMES: readonly { readonly key: Measure; readonly name: string; readonly factor: number; readonly digits: number; readonly unit: string }[] = [
  { key: 'pointingGame', name: 'Pointing game', factor: 100, digits: 2, unit: '%' }, { key: 'consistency', name: 'Consistency, mean', factor: 1, digits: 3, unit: '' },
  { key: 'uncertain', name: 'Uncertain peaks', factor: 100, digits: 2, unit: '%' }, { key: 'matchProbability', name: 'Match probability', factor: 1, digits: 3, unit: '' },
]

export function reportDocument(input: ReportInput): string {
  const { comparison, kind, version, madeAt } = input
  const title = reportTitle(comparison)
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"><title>${title}</title><style>${trusted(STYLE)}</style></head>
<body><main>
<header><p class="quiet">Comparison of checkpoints</p><h1>${title}</h1><p>${basis(comparison)}</p><p>${howIntervals(comparison, kind)} Tests are exact McNemar, two-sided; they take phrases as independent, the intervals do not.</p></header>
${comparison.notes.length > 0 ? html`<section><h2>To know before reading</h2><ul>${comparison.notes.map((note) => html`<li>${note}</li>`)}</ul></section>` : null}
${meansSection(comparison, kind)}
${comparison.pairs.length > 1 ? forest(forestChart('all-pairs', pairRows(comparison, kind), pairsWords(comparison, kind), INK, 760), pairsWords(comparison, kind).description) : null}
${trustSection(comparison, input.tested, INK, figure, forest)}
${comparison.pairs.map((pair, i) => pairSection(input, pair, i))}
<footer class="quiet">AMC Workstation ${version}, ${madeAt}. ${grouped(comparison.total)} regions asked for = ${grouped(comparison.regions)} compared + ${grouped(comparison.missing)} without the score of every checkpoint + ${grouped(comparison.withoutAnswer)} without a phrase or box.</footer>
</main></body></html>
`
  return page.markup
}

function meansSection(comparison: Comparison, kind: IntervalKind): Markup {
  return html`<section><h2>Checkpoints</h2><div class="wide"><table><thead><tr><th>Checkpoint</th>${MEASURE_NAMES.map(({ name }) => html`<th class="n">${name}</th>`)}</tr></thead><tbody>
${comparison.checkpoints.map(({ means }, place) => html`<tr><th scope="row">${nameOf(comparison, place)}</th>${MEASURE_NAMES.map(({ key, factor, digits, unit }) => {
    const of = means?.[key]
    return html`<td class="n">${of ? `${plain(of.value * factor, digits)} ${unit}` : '–'}<br><span class="quiet">${of ? `${range(of.interval, kind, factor, digits, false)}, n ${grouped(of.regions)}` : ''}</span></td>`
  })}</tr>`)}
</tbody></table></div><p class="quiet">In brackets the 95 % interval of each mean. Whether two checkpoints differ is read from the paired changes below, not from whether these overlap.</p></section>`
}

function pairSection({ comparison, kind, examples, differences }: ReportInput, pair: ComparePair, i: number): Markup {
  const id = `pair-${i}`
  const points = comparison.rows.flatMap(({ scores }): Point2[] => {
    const [a, b] = [scores[pair.a]!.insideEnergy, scores[pair.b]!.insideEnergy]
    return a === null || b === null ? [] : [{ a, b }]
  })
  const words = { slices: sliceWords(comparison, pair, kind), scatter: scatterWords(comparison, pair, points.length), change: changeWords(comparison, pair, points.length, kind) }
  return html`<section class="pair"><h2>${nameOf(comparison, pair.a)} to ${nameOf(comparison, pair.b)}</h2>
${headlineTable(pair, kind)}
${matrixTable(comparison, pair)}
${points.length > 0 ? html`<div class="two">${figure(scatterChart(`${id}-scatter`, points, words.scatter, INK), words.scatter.description)}
${figure(changeChart(`${id}-change`, points.map(({ a, b }) => b - a), words.change, INK), words.change.description)}</div>` : null}
${pair.slices.length > 0 ? html`<h3>Slices</h3>${forest(forestChart(`${id}-slices`, sliceRows(pair, kind), words.slices, INK, 760), words.slices.description)}${sliceTable(pair, kind)}` : null}
${exampleSection(comparison, pair, examples[i] ?? [])}
${differences[i] ? differenceSection(differences[i]!, pair) : null}</section>`
}

/** Forests have columns of text, which must not shrink on a narrow screen: they scroll. */
function forest(chart: SvgNode, caption: string): Markup {
  return html`<figure class="forest"><div class="wide" tabindex="0" role="group" aria-label="Chart">${trusted(toMarkup(chart))}</div><figcaption>${caption}</figcaption></figure>`
}

function figure(chart: SvgNode, caption: string): Markup {
  return html`<figure><div class="wide">${trusted(toMarkup(chart))}</div><figcaption>${caption}</figcaption></figure>`
}

function headlineTable(pair: ComparePair, kind: IntervalKind): Markup {
  const { headline, test } = pair
  return html`<div class="wide"><table><thead><tr><th>Measure</th><th class="n">${letter(pair.a)}</th><th class="n">${letter(pair.b)}</th><th class="n">Change</th><th class="n">95 % interval</th><th>By</th><th class="n">n</th></tr></thead><tbody>
${MEASURE_NAMES.map(({ key, name, factor, digits, unit }) => {
    const of = headline[key]
    if (!of) return html`<tr><th scope="row">${name}</th><td class="n" colspan="6">no such value</td></tr>`
    return html`<tr><th scope="row">${name}${unit ? `, ${unit}` : ''}</th><td class="n">${plain(of.a * factor, digits)}</td><td class="n">${plain(of.b * factor, digits)}</td><td class="n"><strong>${withSign(of.change * factor, digits)}</strong></td><td class="n">${range(of.interval, kind, factor, digits, true)}</td><td>${ends(of.interval, kind)?.method ?? '–'}</td><td class="n">${grouped(of.regions)}</td></tr>`
  })}
</tbody></table></div><p>Exact McNemar of the hits: p ${pEquals(test.p)}; adjusted by Holm ${pEquals(test.holm)}, by Benjamini-Hochberg ${pEquals(test.bh)}.</p>`
}

function matrixTable(comparison: Comparison, pair: ComparePair): Markup {
  const [a, b] = [letter(pair.a), letter(pair.b)]
  const { both, broken, fixed, neither } = pair.matrix
  return html`<table class="matrix" aria-label="Hits and misses"><thead><tr><td></td><th scope="col">${b} hits</th><th scope="col">${b} misses</th></tr></thead><tbody>
<tr><th scope="row">${a} hits</th><td class="n">both ${grouped(both)}</td><td class="n">broken ${grouped(broken)}</td></tr><tr><th scope="row">${a} misses</th><td class="n">fixed ${grouped(fixed)}</td><td class="n">neither ${grouped(neither)}</td></tr></tbody></table><p class="quiet">${matrixCaption(comparison, pair)}</p>`
}

function sliceTable({ slices }: ComparePair, kind: IntervalKind): Markup {
  return html`<details><summary>Numbers of the slices</summary><div class="wide"><table><thead><tr><th>Slice</th><th class="n">Phrases</th><th class="n">Images</th><th class="n">Fixed</th><th class="n">Broken</th><th class="n">Change, points</th><th class="n">95 % interval</th><th>By</th><th class="n">p</th><th class="n">Holm</th><th class="n">Benjamini-Hochberg</th></tr></thead><tbody>
${slices.map((slice) => html`<tr><th scope="row">${slice.name}</th><td class="n">${grouped(slice.regions)}</td><td class="n">${grouped(slice.images)}</td><td class="n">${grouped(slice.matrix.fixed)}</td><td class="n">${grouped(slice.matrix.broken)}</td><td class="n">${withSign(slice.change * 100, 2)}</td><td class="n">${range(slice.interval, kind, 100, 2, true)}</td><td>${ends(slice.interval, kind)?.method ?? '–'}</td><td class="n">${pText(slice.test.p)}</td><td class="n">${pText(slice.test.holm)}</td><td class="n">${pText(slice.test.bh)}</td></tr>`)}
</tbody></table></div></details>`
}

function exampleSection(comparison: Comparison, pair: ComparePair, examples: readonly Example[]): Markup | null {
  if (examples.length === 0) return null
  const side = (picture: string | null, place: number, hit: boolean): Markup => html`<div>${picture ? html`<img src="${picture}" alt="Heat of ${letter(place)}">` : null}<span>${letter(place)} ${hit ? 'hit' : 'miss'}</span></div>`
  return html`<h3>Largest changes</h3><p class="quiet">Both maps of a phrase are drawn on one scale, from the lowest to the highest value of the two. Boxes and outlines are those annotated; the ring is the peak.</p>
${(['fixed', 'broken'] as const).map((cell) => {
    const list = examples.filter((example) => example.cell === cell)
    return list.length === 0 ? null : html`<h4>${cell === 'fixed' ? 'Fixed' : 'Broken'}</h4><ul class="examples">${list.map(({ row, a, b, why }) => {
      const [before, after] = [row.scores[pair.a]!, row.scores[pair.b]!]
      return html`<li><div class="sides">${side(a, pair.a, before.pointingHit)}${side(b, pair.b, after.pointingHit)}</div><p>${row.phrase}</p><p class="quiet">${why ?? ''} ${before.insideEnergy === null || after.insideEnergy === null ? '' : `consistency ${plain(before.insideEnergy, 2)} to ${plain(after.insideEnergy, 2)}`} · ${row.regionId}</p></li>`
    })}</ul>`
  })}`
}

function differenceSection({ a, b, config, data }: RunDifference, pair: ComparePair): Markup {
  const of = (place: number, run: RunDifference['a']): Markup => html`<li>${letter(place)}: ${run ? `${run.name}${run.step === null ? '' : `, step ${grouped(run.step)}`}; ${grouped(run.regions)} samples; started from ${run.startCheckpoint ?? 'scratch'}` : 'not from a run of this project, so its settings and samples are not known'}</li>`
  return html`<h3>Why they differ</h3><ul>${of(pair.a, a)}${of(pair.b, b)}</ul>
${config.length > 0 ? html`<table><thead><tr><th>Setting</th><th class="n">${letter(pair.a)}</th><th class="n">${letter(pair.b)}</th></tr></thead><tbody>${config.map((line) => html`<tr><th scope="row">${line.label} <code>${line.key}</code></th><td class="n">${line.a ?? '–'}</td><td class="n">${line.b ?? '–'}</td></tr>`)}</tbody></table>` : a && b ? html`<p>No setting differs.</p>` : null}
${data ? html`<p>Samples: ${grouped(data.revised)} edited between, ${grouped(data.onlyA)} only in ${letter(pair.a)}’s run, ${grouped(data.onlyB)} only in ${letter(pair.b)}’s, ${grouped(data.same)} the same.</p>` : null}`
}

function range(interval: CompareInterval | null, kind: IntervalKind, factor: number, digits: number, signs: boolean): string {
  const of = ends(interval, kind)
  const written = signs ? withSign : plain
  return of ? `[${written(of.low * factor, digits)}, ${written(of.high * factor, digits)}]` : 'too few images'
}

const pEquals = (p: number): string => (p < 0.001 ? pText(p) : `= ${pText(p)}`)
