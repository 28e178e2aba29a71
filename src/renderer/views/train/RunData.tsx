import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Run } from '../../../shared/domain.ts'
import { count, counted, when } from '../../app/format.ts'
import { formatHash } from '../../app/routes.ts'
import { api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorNote, Loading } from '../../ui/Notes.tsx'
import { Section } from '../../ui/Pane.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import table from '../../ui/table.module.css'
import styles from './train.module.css'

const PAGE = 100
const WORDS = { edited: 'edited', removed: 'removed', rejected: 'rejected', moved: 'in another split', added: 'added' } as const

/** The data a run was frozen with, and what became of it since. */
export function RunData({ run }: { run: Run }) {
  const [shown, setShown] = useState<'changes' | 'firsts' | 'samples' | null>(null)
  const [offset, setOffset] = useState(0)
  const snapshot = useQuery({ queryKey: [...keys.runData(run.id), offset], queryFn: ({ signal }) => api.runs.snapshot({ id: run.id, offset, limit: PAGE }, { signal }), placeholderData: (previous) => previous })
  const changes = useQuery({ queryKey: [...keys.runData(run.id), 'changes'], queryFn: ({ signal }) => api.runs.dataChanges({ id: run.id }, { signal }), enabled: shown === 'changes', staleTime: 0 })
  const data = snapshot.data
  const link = (regionId: string) => formatHash('curate', { dataset: run.datasetId, region: regionId })
  return (
    <Section title="Data">
      {snapshot.error ? <ErrorNote error={snapshot.error} compact /> : data ? (
        <>
          <p className="t12">{counted(data.regions, 'region')} on {counted(data.images, 'image')}, frozen {when(data.frozenAt)}{data.firstSeen > 0 ? `; the first run to see ${counted(data.firstSeen, 'correction')}` : ''}.</p>
          <p className={styles.dataActions}><Button size="s" onClick={() => setShown('changes')}>What changed since</Button></p>
        </>
      ) : <p className="t12 c2">Reading</p>}
      <Dialog open={shown !== null} onClose={() => setShown(null)} title={`Data of run ${run.number}`} width="wide" closable
        description={data ? `Frozen ${when(data.frozenAt)}: ${Object.entries(data.splits).map(([split, n]) => `${count(n)} ${split}`).join(', ')}.` : undefined}>
        <Segmented label="Show" value={shown ?? 'changes'} onChange={setShown} options={[{ value: 'changes', label: 'Changed since' }, { value: 'firsts', label: 'First seen here' }, { value: 'samples', label: 'Frozen regions' }]} />
        <div className={cx('scroll', styles.dataTable)} tabIndex={0} role="region" aria-label="Regions">
          {shown === 'changes' ? changes.error ? <ErrorNote error={changes.error} compact /> : !changes.data ? <Loading>Comparing</Loading> : (
            <>
              <p className="t12 c2" data-testid="data-summary">{counted(changes.data.unchanged, 'region')} as they were{Object.entries(changes.data.counts).filter(([, n]) => n > 0).map(([kind, n]) => `, ${count(n)} ${WORDS[kind as keyof typeof WORDS]}`).join('')}.</p>
              {changes.data.changes.length === 0 ? null : (
                <table className={cx(table.table, table.dense)}>
                  <thead><tr><th>What</th><th>Frozen</th><th>Now</th><th className={table.num}>Revision</th></tr></thead>
                  <tbody>
                    {changes.data.changes.map((change) => (
                      <tr key={change.regionId}>
                        <td>{WORDS[change.kind]}{change.shapeChanged ? ', box' : ''}</td>
                        <td className={styles.dataPhrase}>{change.before?.phrase ?? '–'}</td>
                        <td className={styles.dataPhrase}>{change.now ? <a href={link(change.regionId)}>{change.now.phrase}</a> : '–'}</td>
                        <td className={table.num}>{change.before?.revision ?? '–'} → {change.now?.revision ?? '–'}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
            </>
          ) : data ? (
            <table className={cx(table.table, table.dense)}>
              <thead><tr><th>Phrase</th><th>Split</th><th className={table.num}>Revision</th></tr></thead>
              <tbody>
                {(shown === 'firsts' ? data.corrections : data.samples).map((sample) => (
                  <tr key={sample.regionId}><td className={styles.dataPhrase}><a href={link(sample.regionId)}>{sample.phrase}</a></td><td>{sample.split}</td><td className={table.num}>{sample.revision}</td></tr>
                ))}
              </tbody>
            </table>
          ) : null}
        </div>
        {shown === 'samples' && data && data.regions > PAGE ? (
          <div className="row">
            <Button size="s" disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - PAGE))}>Previous</Button>
            <span className="t12 c2">{count(offset + 1)} to {count(Math.min(data.regions, offset + PAGE))} of {count(data.regions)}</span>
            <Button size="s" disabled={offset + PAGE >= data.regions} onClick={() => setOffset(offset + PAGE)}>Next</Button>
          </div>
        ) : null}
      </Dialog>
    </Section>
  )
}
