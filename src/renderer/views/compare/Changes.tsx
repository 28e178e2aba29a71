import { useQuery } from '@tanstack/react-query'
import type { RunDifference } from '../../../shared/contract/compare.ts'
import { count, counted } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { cx } from '../../ui/cx.ts'
import { ErrorNote, Loading } from '../../ui/Notes.tsx'
import table from '../../ui/table.module.css'
import type { Side } from './choice.ts'
import { Letter } from './Letter.tsx'
import styles from './compare.module.css'

/** Why two checkpoints differ: the settings and the samples that their runs froze when they began. */
export function Changes({ a, b, pair, onClose }: { a: Side; b: Side; pair: readonly [number, number]; onClose: () => void }) {
  const difference = useQuery({ queryKey: ['run-difference', a.id, b.id], queryFn: ({ signal }) => api.compare.runs({ a: a.id, b: b.id }, { signal }) })
  return (
    <Dialog open onClose={onClose} title="Why they differ" width="wide" closable description="Settings and samples as each run froze them when it began.">
      {difference.error ? <ErrorNote error={difference.error} onRetry={() => void difference.refetch()} /> : null}
      {difference.isPending ? <Loading>Reading the runs</Loading> : null}
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
            <dd className="t12 c2">{run ? `${run.name}${run.step === null ? '' : `, step ${count(run.step)}`}; ${counted(run.regions, 'sample')}; started from ${run.startCheckpoint ?? 'scratch'}` : 'Not from a run of this project: its settings and samples are not known.'}</dd>
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

function Config({ difference: { config }, pair }: { difference: RunDifference; pair: readonly [number, number] }) {
  return (
    <section aria-label="Settings">
      <h3 className="t13 med">Settings <span className="c3 t12">{config.length === 0 ? 'none differ' : `${config.length} differ`}</span></h3>
      {config.length === 0 ? null : (
        <table className={cx(table.table, table.dense, table.flush)}>
          <thead><tr><th>Setting</th><th className={table.num}><Letter of={pair[0]} /></th><th className={table.num}><Letter of={pair[1]} /></th></tr></thead>
          <tbody>{config.map((line) => <tr key={line.key}><td><span>{line.label}</span> <span className="c3 mono t11">{line.key}</span></td><td className={table.num}>{line.a ?? '–'}</td><td className={table.num}>{line.b ?? '–'}</td></tr>)}</tbody>
        </table>
      )}
    </section>
  )
}

const KINDS = { revised: 'edited between', 'only-a': 'only in', 'only-b': 'only in' } as const

function Data({ difference: { data }, pair }: { difference: RunDifference; pair: readonly [number, number] }) {
  if (!data) return null
  const changed = data.revised + data.onlyA + data.onlyB
  return (
    <section aria-label="Samples">
      <h3 className="t13 med">Samples <span className="c3 t12">{changed === 0 ? `the same ${counted(data.same, 'region')}, each in the same form` : `${counted(data.revised, 'region')} edited between, ${count(data.onlyA)} only in A’s run, ${count(data.onlyB)} only in B’s, ${count(data.same)} the same`.replace('A’s', `${'ABCD'[pair[0]]}’s`).replace('B’s', `${'ABCD'[pair[1]]}’s`)}</span></h3>
      {data.regions.length === 0 ? null : (
        <div className={styles.changedRegions} tabIndex={0} role="group" aria-label="Regions that differ">
          <table className={cx(table.table, table.dense, table.flush)}>
            <thead><tr><th>Region</th><th>Split</th><th>Difference</th></tr></thead>
            <tbody>
              {data.regions.map((region) => (
                <tr key={`${region.kind}-${region.regionId}`}>
                  <td className={styles.wrapped} data-selectable>{region.what.includes('phrase') ? <><del className="c2">{region.phraseA}</del> <ins>{region.phraseB}</ins></> : (region.phraseB ?? region.phraseA)}</td>
                  <td>{region.split}</td>
                  <td className="c2">{region.kind === 'revised' ? `${region.what.join(' and ')}, revision ${region.revisionA} → ${region.revisionB}` : <>{KINDS[region.kind]} <Letter of={region.kind === 'only-a' ? pair[0] : pair[1]} /></>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data.listed < changed ? <p className="hint">The first {count(data.listed)} of {count(changed)}.</p> : null}
    </section>
  )
}
