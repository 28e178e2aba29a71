/** The options that choose an explainer, for every command that makes heatmaps. */
import { EXPLAINER_NAMES, EXPLAINERS, explainerFacts, targetOf, type ExplainerChoice } from '../../shared/explainers.ts'
import type { CommandInput, OptionSpec } from './command.ts'

export const EXPLAINER_HELP = `${EXPLAINER_NAMES.join(', ')} (usually ${EXPLAINER_NAMES[0]}, AMC's own).`

export const EXPLAINER_OPTIONS = {
  explainer: { type: 'string', value: 'NAME', help: EXPLAINER_HELP },
  target: { type: 'string', value: 'itm|itc', help: 'Explain why they match (itm, usual) or why their vectors are similar (itc).' },
  layer: { type: 'string', value: 'N', help: 'Layer, from 0; usually the one the model names. Rollouts go through all.' },
} as const satisfies Record<string, OptionSpec>

/** What each explainer says, for --help. */
export const EXPLAINER_LINES = EXPLAINERS.map(({ name, says }) => `  ${name.padEnd(17)} ${says}`).join('\n')

/** What was asked for; undefined when none of the options is given. @throws AppError 'usage' for a name or a target that does not exist */
export function explainerChoice(input: CommandInput): ExplainerChoice | undefined {
  const [name, target, layer] = [input.text('explainer'), input.text('target'), input.integer('layer')]
  if (name === undefined && target === undefined && layer === undefined) return undefined
  const facts = explainerFacts(name ?? EXPLAINER_NAMES[0])
  return { name: facts.name, ...(target === undefined ? {} : { target: targetOf(facts, target) }), ...(layer === undefined ? {} : { layer }) }
}
