import { Microscope } from 'lucide-react'
import { deletionChart, deletionWords, insertionChart, insertionWords, randomisationChart, randomisationWords, type Tested } from '../../../shared/charts/trust.ts'
import type { Comparison } from '../../../shared/contract/compare.ts'
import { TRUST_FIGURES } from '../../../shared/contract/trust.ts'
import { t } from '../../../shared/messages/messages.ts'
import { fixed, percent } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { DEFAULT_VIEW, ExplainerChoice } from '../../ui/ExplainerChoice.tsx'
import { EmptyState, ErrorNote, Loading } from '../../ui/Notes.tsx'
import table from '../../ui/table.module.css'
import type { ProjectChoice } from './choice.ts'
import { Figure, InEnglish } from './Figure.tsx'
import { Letter } from './Letter.tsx'
import { TrustProgress } from './TrustProgress.tsx'
import { useTrust } from './use-trust.ts'
import { testOf, titleOf } from './words.ts'
import styles from './compare.module.css'

/** Every test of the explanation for all that are compared: the figures beside the pointing game, and the curves behind them. */
export function TrustPanel({ comparison, choice, explainer, onExplainer, onClose }: {
  comparison: Comparison; choice: ProjectChoice; explainer: string; onExplainer: (explainer: string) => void; onClose: () => void
}) {
  const trust = useTrust(choice, explainer)
  const found = choice.sides.map((side) => trust.of(side.id))
  const tested = found.flatMap((result, place): Tested[] => (result ? [{ place, name: choice.sides[place]!.name, result }] : []))
  const lacking = choice.sides.filter((_, i) => found[i] === null).map((side) => side.id)
  const names = tested.map(({ name }) => name).join(' ')
  const start = trust.running.length > 0 || trust.pending ? null : (
    <Button kind={tested.length === 0 ? 'primary' : 'plain'} busy={trust.starting} onClick={() => trust.start(lacking.length > 0 ? lacking : choice.sides.map((side) => side.id))}>
      {lacking.length === 0 ? t('Test again') : tested.length === 0 ? testOf(comparison) : t('Test {n, plural, one {the other one} other {the other #}}', { n: lacking.length })}
    </Button>
  )
  return (
    <Dialog open onClose={onClose} title={t('Trust in the explanation')} width="wide" closable description={t('On {title}. None of these looks at the boxes; the pointing game looks at nothing else.', { title: titleOf(choice, comparison) })}>
      <div className={styles.trustChoice}><ExplainerChoice value={explainer} onChange={onExplainer} aside="" /></div>
      {trust.error ? <ErrorNote error={trust.error} onRetry={trust.refetch} /> : trust.pending ? <Loading>{t('Reading what was tested')}</Loading> : tested.length === 0 ? (
        <EmptyState icon={Microscope} title={t('Not yet tested with this explainer')} actions={start ?? undefined}>{t('The same regions are drawn for every checkpoint, and the model is asked about each several dozen times.')}</EmptyState>
      ) : <Figures comparison={comparison} choice={choice} found={found} explainer={explainer} />}
      <TrustProgress trust={trust} />
      {tested.length > 0 && !trust.error ? (
        <>
          {start ? <div>{start}</div> : null}
          <InEnglish />
          <div className={styles.curves}>
            <Figure name={`deletion ${names}`} caption={deletionWords(comparison.title, tested).description} draw={(ink) => deletionChart(comparison.title, tested, ink)} />
            <Figure name={`insertion ${names}`} caption={insertionWords(comparison.title, tested).description} draw={(ink) => insertionChart(comparison.title, tested, ink)} />
          </div>
          <Figure name={`random weights ${names}`} caption={randomisationWords(comparison.title, tested).description} draw={(ink) => randomisationChart(comparison.title, tested, ink)} />
        </>
      ) : null}
    </Dialog>
  )
}

function Figures({ comparison, choice, found, explainer }: { comparison: Comparison; choice: ProjectChoice; found: readonly ReturnType<ReturnType<typeof useTrust>['of']>[]; explainer: string }) {
  const pointing = comparison.checkpoints.map(({ means }) => means?.pointingGame.value ?? null)
  return (
    <table className={cx(table.table, table.dense, table.flush, styles.trustTable)} data-testid="trust-figures">
      <thead><tr><th>{t('Test', undefined, 'a test')}</th>{choice.sides.map((side, place) => <th key={side.id} className={table.num} title={side.name}><Letter of={place} /></th>)}</tr></thead>
      <tbody>
        <tr>
          <td>{t('Pointing game')} <span className="c3 t11">{t('high is good')}</span><p className="c2 t11">{explainer === DEFAULT_VIEW ? t('The hottest point lies inside a box: the heat is in the right place, whatever brought it there.') : t('The hottest point lies inside a box: the heat is in the right place, whatever brought it there. Of Grad-CAM (AMC), not of the explainer chosen.')}</p></td>
          {pointing.map((value, place) => <td key={place} className={table.num}>{value === null ? '–' : percent(value, 1)}</td>)}
        </tr>
        {TRUST_FIGURES.map(({ key, title, better, says, of: figure }) => (
          <tr key={key}>
            <td>{title} <span className="c3 t11">{better === 'lower' ? t('low is good') : t('high is good')}</span><p className="c2 t11">{says}</p></td>
            {found.map((one, place) => <td key={place} className={table.num}>{one ? fixed(figure(one), 3) : '–'}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
