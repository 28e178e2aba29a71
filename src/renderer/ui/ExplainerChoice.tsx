import { t } from '../../shared/messages/messages.ts'
import { DEFAULT_EXPLAINER, DEFAULT_TARGET, type ExplainerChoice as Choice, EXPLAINERS, type Target, TARGETS } from '../../shared/explainers.ts'
import { type Option, Select } from './Select.tsx'
import styles from './explainer-choice.module.css'

/** An explainer with its target as one value: what is kept and chosen. */
export const DEFAULT_VIEW = `${DEFAULT_EXPLAINER} ${DEFAULT_TARGET}`

const GROUPS: Readonly<Record<Target, string>> = { itm: t('Why they match (itm)'), itc: t('Why they are similar (itc)') }
const VIEWS = TARGETS.flatMap((target) => EXPLAINERS.filter((facts) => facts.targets.includes(target)).map((facts) => ({ value: `${facts.name} ${target}`, facts, target })))
const OPTIONS: readonly Option[] = VIEWS.map(({ value, facts, target }) => ({ value, label: target === DEFAULT_TARGET ? facts.title : t('{explainer}, itc', { explainer: facts.title }), group: GROUPS[target] }))

export const isView = (value: string): boolean => VIEWS.some((view) => view.value === value)

/** What to ask the engine for; undefined: the usual one. */
export function choiceOf(value: string): Choice | undefined {
  const view = VIEWS.find((one) => one.value === value)
  return view && value !== DEFAULT_VIEW ? { name: view.facts.name, target: view.target } : undefined
}

export interface ExplainerChoiceProps {
  readonly value: string
  readonly onChange: (value: string) => void
  /** Said behind the sentence when it is not the usual one: which figures it does not touch. */
  readonly aside: string
}

/** Which explanation is drawn, and one sentence on what its heat says. */
export function ExplainerChoice({ value, onChange, aside }: ExplainerChoiceProps) {
  const facts = VIEWS.find((view) => view.value === value)?.facts
  const text = value === DEFAULT_VIEW ? (facts?.says ?? '') : t('{sentence} {aside}', { sentence: facts?.says ?? '', aside })
  return (
    <div className={styles.choice}>
      <Select look="quiet" size="s" label={t('Explainer')} testId="explainer" value={value} options={OPTIONS} onChange={onChange} />
      <p className={styles.says} title={text} data-testid="explainer-says">{text}</p>
    </div>
  )
}
