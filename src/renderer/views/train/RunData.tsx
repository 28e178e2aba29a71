import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count, when } from '../../app/format.ts'
import { formatHash } from '../../app/routes.ts'
import { api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorNote, Loading } from '../../ui/Notes.tsx'
import { Section } from '../../ui/Pane.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import { openListInCurate } from '../compare/to-curate.ts'
import table from '../../ui/table.module.css'
import styles from './train.module.css'

const PAGE = 100
const WORDS = { edited: t('edited'), removed: t('removed'), rejected: t('rejected'), moved: t('in another split'), added: t('added') } as const
type Kind = keyof typeof WORDS
const SHAPE_WORDS = { edited: t('edited, box'), removed: t('removed, box'), rejected: t('rejected, box'), moved: t('in another split, box'), added: t('added, box') } as const

/** A part of the summary: how many regions of a kind. */
function countWords(kind: Kind, n: number): string {
  const values = { n: count(n) }
  switch (kind) {
    case 'edited': return t('{n} edited', values)
    case 'removed': return t('{n} removed', values)
    case 'rejected': return t('{n} rejected', values)
    case 'moved': return t('{n} in another split', values)
    case 'added': return t('{n} added', values)
  }
}

/** The data a run was frozen with, and what became of it since. */
export function RunData({ run }: { run: Run }) {
  const [shown, setShown] = useState<'changes' | 'firsts' | 'samples' | null>(null)
  const [offset, setOffset] = useState(0)
  const client = useQueryClient()
  const snapshot = useQuery({ queryKey: [...keys.runData(run.id), offset], queryFn: ({ signal }) => api.runs.snapshot({ id: run.id, offset, limit: PAGE }, { signal }), placeholderData: (previous) => previous })
  const changes = useQuery({ queryKey: [...keys.runData(run.id), 'changes'], queryFn: ({ signal }) => api.runs.dataChanges({ id: run.id }, { signal }), enabled: shown === 'changes', staleTime: 0 })
  const data = snapshot.data
  const link = (regionId: string) => formatHash('curate', { dataset: run.datasetId, region: regionId })
  return (
    <Section title={t('Data')}>
      {snapshot.error ? <ErrorNote error={snapshot.error} compact /> : data ? (
        <>
          <p className="t12">{data.firstSeen > 0
            ? t('{regions, plural, one {# region} other {# regions}} on {images, plural, one {# image} other {# images}}, frozen {when}; the first run to see {n, plural, one {# correction} other {# corrections}}.', { regions: data.regions, images: data.images, when: when(data.frozenAt), n: data.firstSeen })
            : t('{regions, plural, one {# region} other {# regions}} on {images, plural, one {# image} other {# images}}, frozen {when}.', { regions: data.regions, images: data.images, when: when(data.frozenAt) })}</p>
          <p className={styles.dataActions}><Button size="s" onClick={() => setShown('changes')}>{t('What changed since')}</Button>
            {data.firstSeen > 0 ? <Button size="s" onClick={() => setShown('firsts')}>{t('Show the corrections')}</Button> : null}
            {data.firstSeen > 0 ? <Button size="s" onClick={() => void openListInCurate(client, run.datasetId, t('Corrections first seen by run {number}', { number: run.number }), data.correctionIds.map((regionId) => ({ regionId, imageId: data.corrections[0]!.imageId })), run.startCheckpointId ?? undefined)}>{t('Open them in Curate')}</Button> : null}
            {data.correctionIds.length < data.firstSeen ? <span className="t12 c2">{t('The first {shown} of {total} are opened.', { shown: count(data.correctionIds.length), total: count(data.firstSeen) })}</span> : null}</p>
        </>
      ) : <p className="t12 c2">{t('Reading')}</p>}
      <Dialog open={shown !== null} onClose={() => setShown(null)} title={t('Data of run {number}', { number: run.number })} width="wide" closable
        description={data ? t('Frozen {when}: {splits}.', { when: when(data.frozenAt), splits: Object.entries(data.splits).map(([split, n]) => `${count(n)} ${split}`).join(', ') }) : undefined}>
        <Segmented label={t('Show')} value={shown ?? 'changes'} onChange={setShown} options={[{ value: 'changes', label: t('Changed since') }, { value: 'firsts', label: t('First seen here') }, { value: 'samples', label: t('Frozen regions') }]} />
        <div className={cx('scroll', styles.dataTable)} tabIndex={0} role="region" aria-label={t('Regions')}>
          {shown === 'changes' ? changes.error ? <ErrorNote error={changes.error} compact /> : !changes.data ? <Loading>{t('Comparing')}</Loading> : (
            <>
              <p className="t12 c2" data-testid="data-summary">{t('{list}.', { list: [t('{n, plural, one {# region} other {# regions}} as they were', { n: changes.data.unchanged }), ...Object.entries(changes.data.counts).filter(([, n]) => n > 0).map(([kind, n]) => countWords(kind as Kind, n))].join(t(', ', undefined, 'list')) })}</p>
              {changes.data.changes.length === 0 ? null : (
                <table className={cx(table.table, table.dense)}>
                  <thead><tr><th>{t('What')}</th><th>{t('Frozen')}</th><th>{t('Now')}</th><th className={table.num}>{t('Revision')}</th></tr></thead>
                  <tbody>
                    {changes.data.changes.map((change) => (
                      <tr key={change.regionId}>
                        <td>{change.shapeChanged ? SHAPE_WORDS[change.kind] : WORDS[change.kind]}</td>
                        <td className={styles.dataPhrase}>{change.before?.phrase ?? '–'}</td>
                        <td className={styles.dataPhrase}>{change.now ? <a href={link(change.regionId)}>{change.now.phrase}</a> : '–'}</td>
                        <td className={table.num}>{change.before?.revision ?? '–'} → {change.now?.revision ?? '–'}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
              <Cut shown={changes.data.changes.length} total={Object.values(changes.data.counts).reduce((sum, n) => sum + n, 0)} />
            </>
          ) : data ? (
            <>
            <table className={cx(table.table, table.dense)}>
              <thead><tr><th>{t('Phrase')}</th><th>{t('Split')}</th><th className={table.num}>{t('Revision')}</th></tr></thead>
              <tbody>
                {(shown === 'firsts' ? data.corrections : data.samples).map((sample) => (
                  <tr key={sample.regionId}><td className={styles.dataPhrase}><a href={link(sample.regionId)}>{sample.phrase}</a></td><td>{sample.split}</td><td className={table.num}>{sample.revision}</td></tr>
                ))}
              </tbody>
            </table>
            {shown === 'firsts' ? <Cut shown={data.corrections.length} total={data.firstSeen} /> : null}
            </>
          ) : null}
        </div>
        {shown === 'samples' && data && data.regions > PAGE ? (
          <div className="row">
            <Button size="s" disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - PAGE))}>{t('Previous')}</Button>
            <span className="t12 c2">{t('{from} to {to} of {n}', { from: count(offset + 1), to: count(Math.min(data.regions, offset + PAGE)), n: count(data.regions) })}</span>
            <Button size="s" disabled={offset + PAGE >= data.regions} onClick={() => setOffset(offset + PAGE)}>{t('Next')}</Button>
          </div>
        ) : null}
      </Dialog>
    </Section>
  )
}

/** Says that a list is not the whole of it. */
function Cut({ shown, total }: { shown: number; total: number }) {
  return shown < total ? <p className="t12 c2">{t('The first {shown} of {total} are listed.', { shown: count(shown), total: count(total) })}</p> : null
}
