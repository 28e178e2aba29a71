/** The tests of an explanation as charts: what they show, and what stands under them. */
import type { TrustResult } from '../contract/trust.ts'
import { explainerFacts } from '../explainers.ts'
import { letter } from './captions.ts'
import { type Curve, curveChart, type Stages, stagesChart } from './lines.ts'
import { grouped, plain } from './numbers.ts'
import type { SpreadWords } from './spread.ts'
import type { ChartInk, SvgNode } from './svg.ts'

/** One of the checkpoints compared, with what was measured of it. */
export interface Tested {
  readonly place: number
  readonly name: string
  readonly result: TrustResult
}

const nameOf = ({ place, name }: Tested): string => `${letter(place)} (${name})`
const keyOf = ({ place, name }: Tested): Pick<Curve, 'place' | 'name'> => ({ place, name: `${letter(place)}, ${name}` })
const figures = (tested: readonly Tested[], of: (result: TrustResult) => number): string => tested.map((one) => `${letter(one.place)} ${plain(of(one.result), 3)}`).join(', ')

/** On which regions, drawn how, of which map. */
function basisOf(title: string, tested: readonly Tested[]): string {
  const drawn = [...new Set(tested.map(({ result }) => `${grouped(result.samples)} of ${grouped(result.of)} regions drawn with seed ${result.seed}`))]
  const maps = [...new Set(tested.map(({ result: { explainer: { name, target, layer } } }) => `${explainerFacts(name).title}, ${target}, layer ${layer}`))]
  return `${title}; ${drawn.join(' and ')}; map: ${maps.join(' and ')}.`
}

export function deletionWords(title: string, tested: readonly Tested[]): SpreadWords {
  return {
    title: 'Deletion', across: 'hottest patches greyed out, %', up: 'match probability',
    description: `Deletion: mean match probability of phrase and image while the hottest patches of the heat take on the mean colour of the image, under ${tested.map(nameOf).join(', ')}. Area under the curve: ${figures(tested, ({ deletion }) => deletion.area)}; low when the match rests on what is hot. ${basisOf(title, tested)}`,
  }
}

export function insertionWords(title: string, tested: readonly Tested[]): SpreadWords {
  return {
    title: 'Insertion', across: 'hottest patches brought back, %', up: 'match probability',
    description: `Insertion: mean match probability of phrase and image while the hottest patches of the heat come back into the blurred image, under ${tested.map(nameOf).join(', ')}. Area under the curve: ${figures(tested, ({ insertion }) => insertion.area)}; high when they are enough. ${basisOf(title, tested)}`,
  }
}

export function randomisationWords(title: string, tested: readonly Tested[]): SpreadWords {
  return {
    title: 'Random weights', across: 'rank correlation with the heat of the untouched model', up: 'random down to',
    description: `Parameter randomisation: mean rank correlation of the heat with that of the untouched model, once the weights from the answer down to each part are drawn anew, under ${tested.map(nameOf).join(', ')}. With all of them random: ${figures(tested, ({ randomisation }) => randomisation.at(-1)!.correlation)}; near 0 when the heat shows what was learned. Stability beside it, half a patch of shift: ${figures(tested, ({ shifts }) => shifts.correlation)}. ${basisOf(title, tested)}`,
  }
}

const curvesOf = (tested: readonly Tested[], of: 'deletion' | 'insertion'): Curve[] => tested.map((one) => ({ ...keyOf(one), values: one.result[of].curve }))

export const deletionChart = (title: string, tested: readonly Tested[], ink: ChartInk): SvgNode => curveChart('trust-deletion', curvesOf(tested, 'deletion'), deletionWords(title, tested), ink)

export const insertionChart = (title: string, tested: readonly Tested[], ink: ChartInk): SvgNode => curveChart('trust-insertion', curvesOf(tested, 'insertion'), insertionWords(title, tested), ink)

export function randomisationChart(title: string, tested: readonly Tested[], ink: ChartInk): SvgNode {
  const lines = tested.map((one): Stages => ({ ...keyOf(one), values: Object.fromEntries(one.result.randomisation.map(({ stage, correlation }) => [stage, correlation])) }))
  return stagesChart('trust-random', lines, randomisationWords(title, tested), ink)
}
