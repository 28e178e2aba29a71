import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { BulkAction } from '../../../shared/contract/bulk.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count } from '../../app/format.ts'
import { api } from '../../state/engine.ts'
import { errorData } from '../../state/errors.ts'
import { Button } from '../../ui/Button.tsx'
import { Checkbox } from '../../ui/Checkbox.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { Field, Input } from '../../ui/Field.tsx'
import { ErrorNote, Loading } from '../../ui/Notes.tsx'
import { useSettled } from '../../state/use-settled.ts'
import type { Workbench } from './workbench.ts'
import styles from './queue.module.css'

const PAGE = 200
const AFTER_MS = 250

/** Replaces text in the phrases of the selected regions. Every change is listed before any is made. */
export function ReplaceDialog({ work, size, onClose }: { work: Workbench; size: number; onClose: () => void }) {
  const [find, setFind] = useState('')
  const [replacement, setReplacement] = useState('')
  const [regex, setRegex] = useState(false)
  const [matchCase, setMatchCase] = useState(true)
  const action: BulkAction = { kind: 'replace', find, replacement, regex, matchCase }
  const text = JSON.stringify(action)
  const asked = useSettled(text, AFTER_MS)
  const isSettled = asked === text
  const preview = useInfiniteQuery({
    queryKey: ['replace', work.queue.number(), asked],
    queryFn: ({ pageParam, signal }) => api.regions.previewBulk({ selection: work.bulk.selection(), action: JSON.parse(asked ?? text) as BulkAction, offset: pageParam, limit: PAGE }, { signal }),
    initialPageParam: 0,
    getNextPageParam: (last, pages) => (pages.length * PAGE < last.changed ? pages.length * PAGE : undefined),
    enabled: isSettled && find !== '',
    retry: false,
    gcTime: 0,
  })
  const pages = find === '' ? [] : (preview.data?.pages ?? [])
  const changed = pages[0]?.changed ?? 0
  const changes = pages.flatMap((page) => page.changes)
  const fault = find !== '' && preview.error ? errorData(preview.error) : null
  const run = () => {
    if (!isSettled || changed === 0) return
    void work.bulk.act(action)
    onClose()
  }
  return (
    <Dialog
      open onClose={onClose} title={t('Replace text')} width="wide" description={t('In the phrases of {n, plural, one {# selected region} other {# selected regions}}, as one step of undo.', { n: size })}
      actions={<><Button onClick={onClose}>{t('Cancel')}</Button><Button kind="primary" disabled={!isSettled || changed === 0 || preview.isFetching} onClick={run}>{changed > 0 ? t('Replace in {n, plural, one {# phrase} other {# phrases}}', { n: changed }) : t('Replace')}</Button></>}
    >
      <div className={styles.replace}>
        <Field label={t('Find')} error={fault?.place === 'find' ? `${fault.message} ${fault.cure}` : null}>
          {({ id, describedBy, invalid }) => <Input id={id} aria-describedby={describedBy} invalid={invalid} value={find} onChange={(event) => setFind(event.currentTarget.value)} />}
        </Field>
        <Field label={t('Replace with')} hint={regex ? t('$1 is the first group, $& the whole match') : undefined}>
          {({ id, describedBy }) => <Input id={id} aria-describedby={describedBy} value={replacement} onChange={(event) => setReplacement(event.currentTarget.value)} />}
        </Field>
      </div>
      <div className="row gap4">
        <Checkbox small checked={regex} onChange={setRegex}>{t('Regular expression')}</Checkbox>
        <Checkbox small checked={matchCase} onChange={setMatchCase}>{t('Match case')}</Checkbox>
      </div>
      {fault && fault.place !== 'find' ? <ErrorNote error={preview.error} compact onRetry={() => void preview.refetch()} /> : null}
      <div className={`scroll ${styles.changes}`} tabIndex={0} role="region" aria-label={t('What changes')} data-testid="replace-changes">
        {find === '' ? <p className="c3 t12">{t('Every change is listed here before any is made.')}</p>
          : fault ? null
          : preview.isPending || !isSettled ? <Loading>{t('{n, plural, one {Looking through # phrase} other {Looking through # phrases}}', { n: size })}</Loading>
          : changed === 0 ? <p className="c3 t12">{t('No selected phrase holds this text.')}</p>
          : (
            <ul>
              {changes.map((change) => (
                <li key={change.regionId} className={styles.change}>
                  <del data-selectable>{change.before || t('No phrase')}</del>
                  <ins data-selectable>{change.after || t('No phrase')}</ins>
                </li>
              ))}
            </ul>
          )}
        {preview.hasNextPage ? <Button size="s" kind="ghost" busy={preview.isFetchingNextPage} onClick={() => void preview.fetchNextPage()}>{t('Show more of {n} other changes', { n: count(changed - changes.length) })}</Button> : null}
      </div>
    </Dialog>
  )
}
