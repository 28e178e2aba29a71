/** The heat in each pane: the shown phrase by every chosen checkpoint and the chosen explainer (scores and proposals stay with the usual one). The same questions are asked once, whoever asks. */
import type { HeatScale } from '../../canvas/heat.ts'
import { sharedRange } from '../../canvas/heat.ts'
import { type HeatAnswer, useHeat } from './use-heat.ts'
import type { Workbench } from './workbench.ts'

export function useShownHeats(work: Workbench): readonly HeatAnswer[] {
  const { current, chosen, shownPhrase, prefs } = work
  // A fixed number of questions, as hooks must be; those without a checkpoint ask nothing.
  const first = useHeat(current.imageId, chosen[0]?.id ?? null, shownPhrase, prefs.explainer)
  const second = useHeat(current.imageId, chosen[1]?.id ?? null, shownPhrase, prefs.explainer)
  const third = useHeat(current.imageId, chosen[2]?.id ?? null, shownPhrase, prefs.explainer)
  return [first, second, third].slice(0, chosen.length)
}

export function sharedScale(heats: readonly HeatAnswer[]): Exclude<HeatScale, 'own'> {
  return sharedRange(heats.flatMap((answer) => (answer.heat ? [answer.heat.grid] : [])))
}
