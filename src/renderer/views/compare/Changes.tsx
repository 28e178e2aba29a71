import { useQuery } from '@tanstack/react-query'
import { letter } from '../../../shared/charts/captions.ts'
import { settingWords } from '../../../shared/config/run-config.ts'
import type { RunDifference } from '../../../shared/contract/compare.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { cx } from '../../ui/cx.ts'
import { rich } from '../../ui/rich.tsx'
import { ErrorNote, Loading } from '../../ui/Notes.tsx'
import table from '../../ui/table.module.css'
import type { Side } from './choice.ts'
import { Letter } from './Letter.tsx'
import styles from './compare.module.css'

/** Why two checkpoints differ: the settings and the samples that their runs froze when they began. */
export function Changes({ a, b, pair, onClose }: { a: Side; b: Side; pair: readonly [number, number]; onClose: () => void }) {
  const difference = useQuery({ queryKey: ['run-difference', a.id, b.id], queryFn: ({ signal }) => api.compare.runs({ a: a.id, b: b.id }, { signal }) })
  return (
    <Dialog open onClose={onClose} title={t('Why they differ')} width="wide" closable description={t('Settings and samples as each run froze them when it began.')}>
      {difference.error ? <ErrorNote error={difference.error} onRetry={() => void difference.refetch()} /> : null}
      {difference.isPending ? <Loading>{t('Reading the runs')}</Loading> : null}
      {difference.data ? <Found difference={difference.data} a={a} b={b} pair={pair} /> : null}
    </Dialog>
  )
}

function Found({ difference, a, b, pair }: { difference: RunDifference; a: Side; b: Side; pair: readonly [number, number] }) {
  const sides = [[pair[0], a, difference.a], [pair[1], b, difference.b]] as const
  return (
    <div className={styles.changed} data-testid="changes">
      <dl className={styles.runs}>
        {sides.map(([place, side, run]) => (
          <div key={place}>
            <dt><Letter of={place} /> <span className="med">{side.name}</span></dt>
            <dd className="t12 c2">{run ? runSaid(run) : t('Not from a run of this project: its settings and samples are not known.')}</dd>
          </div>
        ))}
      </dl>
      {difference.a && difference.b ? (
        <>
          <Config difference={difference} pair={pair} />
          <Data difference={difference} pair={pair} />
        </>
      ) : null}
    </div>
  )
}

function runSaid({ name, step, regions: n, startCheckpoint }: NonNullable<RunDifference['a']>): string {
  const start = startCheckpoint ?? t('scratch')
  if (step === null) return t('{name}; {n, plural, one {# sample} other {# samples}}; started from {start}', { name, n, start })
  return t('{name}, step {step}; {n, plural, one {# sample} other {# samples}}; started from {start}', { name, step: count(step), n, start })
}

function Config({ difference: { config }, pair }: { difference: RunDifference; pair: readonly [number, number] }) {
  return (
    <section aria-label={t('Settings')}>
      <h3 className="t13 med">{t('Settings')} <span className="c3 t12">{config.length === 0 ? t('none differ') : t('{n} differ', { n: config.length })}</span></h3>
      {config.length === 0 ? null : (
        <table className={cx(table.table, table.dense, table.flush)}>
          <thead><tr><th>{t('Setting')}</th><th className={table.num}><Letter of={pair[0]} /></th><th className={table.num}><Letter of={pair[1]} /></th></tr></thead>
          <tbody>{config.map((line) => <tr key={line.key}><td><span>{settingWords(line.key)?.label ?? line.label}</span> <span className="c3 mono t11">{line.key}</span></td><td className={table.num}>{line.a ?? '–'}</td><td className={table.num}>{line.b ?? '–'}</td></tr>)}</tbody>
        </table>
      )}
    </section>
  )
}

const FIELDS = { phrase: t('phrase'), boxes: t('boxes'), outlines: t('outlines'), split: t('split') } as const

/** What was edited of a region, as "phrase and boxes". */
function fieldsSaid(what: readonly (keyof typeof FIELDS)[]): string {
  return what.map((field) => FIELDS[field]).reduce((before, field) => t('{a} and {b}', { a: before, b: field }))
}

function samplesSaid({ same, revised, onlyA, onlyB }: NonNullable<RunDifference['data']>, pair: readonly [number, number]): string {
  if (revised + onlyA + onlyB === 0) return t('the same {n, plural, one {# region} other {# regions}}, each in the same form', { n: same })
  const values = { n: revised, onlyA: count(onlyA), a: letter(pair[0]), onlyB: count(onlyB), b: letter(pair[1]), same: count(same) }
  return t('{n, plural, one {# region} other {# regions}} edited between, {onlyA} only in {a}’s run, {onlyB} only in {b}’s, {same} the same', values)
}

function Data({ difference: { data }, pair }: { difference: RunDifference; pair: readonly [number, number] }) {
  if (!data) return null
  const changed = data.revised + data.onlyA + data.onlyB
  return (
    <section aria-label={t('Samples')}>
      <h3 className="t13 med">{t('Samples')} <span className="c3 t12">{samplesSaid(data, pair)}</span></h3>
      {data.regions.length === 0 ? null : (
        <div className={styles.changedRegions} tabIndex={0} role="group" aria-label={t('Regions that differ')}>
          <table className={cx(table.table, table.dense, table.flush)}>
            <thead><tr><th>{t('Region')}</th><th>{t('Split')}</th><th>{t('Difference')}</th></tr></thead>
            <tbody>
              {data.regions.map((region) => (
                <tr key={`${region.kind}-${region.regionId}`}>
                  <td className={styles.wrapped} data-selectable>{region.what.includes('phrase') ? <><del className="c2">{region.phraseA}</del> <ins>{region.phraseB}</ins></> : (region.phraseB ?? region.phraseA)}</td>
                  <td>{region.split}</td>
                  <td className="c2">{region.kind === 'revised' ? t('{fields}, revision {before} → {after}', { fields: fieldsSaid(region.what), before: region.revisionA ?? '–', after: region.revisionB ?? '–' }) : rich('only in <side></side>', { side: () => <Letter of={region.kind === 'only-a' ? pair[0] : pair[1]} /> })}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data.listed < changed ? <p className="hint">{t('The first {n} of {total}.', { n: count(data.listed), total: count(changed) })}</p> : null}
    </section>
  )
}
