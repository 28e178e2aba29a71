import { ChartSpline } from 'lucide-react'
import type { Comparison } from '../../../shared/contract/compare.ts'
import { TRUST_FIGURES } from '../../../shared/contract/trust.ts'
import { t } from '../../../shared/messages/messages.ts'
import { fixed } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Section } from '../../ui/Pane.tsx'
import table from '../../ui/table.module.css'
import type { ProjectChoice } from './choice.ts'
import { Letter } from './Letter.tsx'
import { TrustProgress } from './TrustProgress.tsx'
import { useTrust } from './use-trust.ts'
import { testOf } from './words.ts'
import styles from './compare.module.css'

/** How far the explanations of the pair can be trusted, beside what they hit. The curves behind it open in a panel. */
export function Trust({ comparison, choice, pair, explainer, onOpen }: { comparison: Comparison; choice: ProjectChoice; pair: readonly [number, number]; explainer: string; onOpen: () => void }) {
  const trust = useTrust(choice, explainer)
  const ids = pair.map((place) => choice.sides[place]!.id)
  const found = ids.map(trust.of)
  const known = found.find((one) => one !== null)
  const lacking = ids.filter((_, i) => found[i] === null)
  return (
    <Section title={t('Trust in the explanation')} aside={known ? t('{n, plural, one {# region} other {# regions}}', { n: known.samples }) : undefined} action={known ? <Button kind="ghost" size="s" icon={ChartSpline} onClick={onOpen}>{t('Curves')}</Button> : undefined}>
      <div className={styles.trust} data-testid="trust">
        {trust.error ? <ErrorNote error={trust.error} onRetry={trust.refetch} /> : known ? (
          <table className={cx(table.table, table.dense, table.flush)}>
            <thead><tr><th><span className="visually-hidden">{t('Test', undefined, 'a test')}</span></th>{pair.map((place) => <th key={place} className={table.num}><Letter of={place} /></th>)}</tr></thead>
            <tbody>
              {TRUST_FIGURES.map(({ key, title, better, says, of: figure }) => (
                <tr key={key} title={says}>
                  <td>{title} <span className="c3 t11">{better === 'lower' ? t('low is good') : t('high is good')}</span><p className={cx('c2', styles.says)}>{says}</p></td>
                  {found.map((one, i) => <td key={pair[i]} className={table.num}>{one ? fixed(figure(one)) : '–'}</td>)}
                </tr>
              ))}
            </tbody>
          </table>
        ) : trust.pending ? null : <p className="t12 c2">{t('Does the match rest on what is hot, does the heat show what was learned, and does it move with the image? Not yet tested here.')}</p>}
        <TrustProgress trust={trust} />
        {trust.running.length === 0 && !trust.pending ? <Button size="s" busy={trust.starting} onClick={() => trust.start(lacking.length > 0 ? lacking : ids)}>{lacking.length > 0 ? testOf(comparison) : t('Test again')}</Button> : null}
      </div>
    </Section>
  )
}
