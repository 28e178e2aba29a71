/** What was tested of the explanations of those compared, as a section of the report. */
import { type Tested, deletionChart, deletionWords, insertionChart, insertionWords, randomisationChart, randomisationWords } from '../../../../shared/charts/trust.ts'
import { letter } from '../../../../shared/charts/captions.ts'
import { plain } from '../../../../shared/charts/numbers.ts'
import type { ChartInk, SvgNode } from '../../../../shared/charts/svg.ts'
import type { Comparison, Population } from '../../../../shared/contract/compare.ts'
import { TRUST_FIGURES, type TrustResult } from '../../../../shared/contract/trust.ts'
import { DEFAULT_PROTOCOL } from '../../../../shared/explainers.ts'
import type { Db } from '../../../store/db.ts'
import { html, type Markup } from './markup.ts'

/** Of the explainer that scores, on just what is compared. */
export function testedOf(db: Db, { datasetId, viewId, split }: Population, { checkpoints }: Comparison): Tested[] {
  return checkpoints.flatMap(({ id, name }, place) => {
    const found = db.get<{ result: string }>('SELECT result FROM trust WHERE checkpoint_id = ? AND dataset_id = ? AND subject = ? AND explainer = ?', id, datasetId, JSON.stringify([viewId ?? null, split ?? null]), DEFAULT_PROTOCOL)
    return found ? [{ place, name, result: JSON.parse(found.result) as TrustResult }] : []
  })
}

export function trustSection({ title, checkpoints }: Comparison, tested: readonly Tested[], ink: ChartInk, figure: (chart: SvgNode, caption: string) => Markup, wide: (chart: SvgNode, caption: string) => Markup): Markup | null {
  if (tested.length === 0) return null
  const cells = (of: (result: TrustResult) => number): Markup[] => checkpoints.map((_, place) => {
    const one = tested.find((entry) => entry.place === place)
    return html`<td class="n">${one ? plain(of(one.result), 3) : '–'}</td>`
  })
  return html`<section class="trust"><h2>Trust in the explanation</h2><p class="quiet">None of these looks at the boxes; the pointing game looks at nothing else.</p>
<div class="wide"><table><thead><tr><th>Test</th>${checkpoints.map((_, place) => html`<th class="n">${letter(place)}</th>`)}</tr></thead><tbody>
${TRUST_FIGURES.map(({ title: name, better, says, of }) => html`<tr><th scope="row">${name}, ${better} is better<br><span class="quiet">${says}</span></th>${cells(of)}</tr>`)}
</tbody></table></div>
<div class="two">${figure(deletionChart(title, tested, ink), deletionWords(title, tested).description)}${figure(insertionChart(title, tested, ink), insertionWords(title, tested).description)}</div>
${wide(randomisationChart(title, tested, ink), randomisationWords(title, tested).description)}</section>`
}
