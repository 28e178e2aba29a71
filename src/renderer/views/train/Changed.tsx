import { useQuery } from '@tanstack/react-query'
import { t } from '../../../shared/messages/messages.ts'
import { api, type Api } from '../../state/engine.ts'
import { keys } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { ErrorNote, Note } from '../../ui/Notes.tsx'
import styles from './train.module.css'

type Since = Awaited<ReturnType<Api['runs']['changedSince']>>
type Input = Parameters<Api['runs']['changedSince']>[0]

/** What a run from a checkpoint would see that the checkpoint has not. Counted anew with each edit. */
export function useChangedSince(input: Input | null) {
  return useQuery({
    queryKey: [...keys.regions, 'changed-since', JSON.stringify(input)], enabled: input !== null,
    queryFn: ({ signal }) => api.runs.changedSince(input!, { signal }),
  })
}

export const isNothingNew = ({ corrected, leftOut }: Since): boolean => corrected === 0 && leftOut === 0

/** In words; where a run on changes was asked for and there are none, it is refused until somebody wants it all the same. */
export function Changed({ query, demanded, allTheSame, onAllTheSame }: { query: ReturnType<typeof useChangedSince>; demanded: boolean; allTheSame: boolean; onAllTheSame: () => void }) {
  const since = query.data
  if (query.error) return <div className={styles.full}><ErrorNote error={query.error} compact onRetry={() => void query.refetch()} /></div>
  if (!since) return demanded ? <p className={`${styles.full} t12 c2`}>{t('Looking for what was corrected')}</p> : null
  const { run, corrected, train, leftOut, firstSeen } = since
  if (isNothingNew(since)) {
    const words = run ? t('Nothing was corrected since the data of run {number}: this run would see the same again.', { number: run.number }) : t('Nothing was corrected since the import: this run would see the data as it came.')
    return (
      <div className={styles.full} data-testid="changed-since">
        {demanded ? <Note tone="warning">{words}{allTheSame ? null : <div className={styles.noteAction}><Button size="s" onClick={onAllTheSame}>{t('Train all the same')}</Button></div>}</Note> : <p className="hint">{words}</p>}
      </div>
    )
  }
  return (
    <div className={styles.full} data-testid="changed-since">
      <Note>
        {run
          ? t('{n, plural, one {# correction} other {# corrections}} since the data of run {number}.', { n: corrected, number: run.number })
          : t('{n, plural, one {# correction} other {# corrections}} since the import.', { n: corrected })}{' '}
        {corrected === 0 ? null : firstSeen === corrected
          ? t('{n, plural, one {This run will be the first to see it.} other {This run will be the first to see them.}}', { n: corrected })
          : (firstSeen > 0 ? t('This run will be the first to see {n} of them.', { n: firstSeen }) : t('{n, plural, one {Another run has seen it.} other {Other runs have seen them.}}', { n: corrected }))}
        {leftOut > 0 ? <> {t('{n, plural, one {# region was rejected or deleted and is left out.} other {# regions were rejected or deleted and are left out.}}', { n: leftOut })}</> : null}
        {corrected > 0 && train === 0 ? <> {t('None is in the split train: only validation sees them.')}</> : null}
      </Note>
    </div>
  )
}
