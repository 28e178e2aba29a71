import { useMutation, useQuery } from '@tanstack/react-query'
import type { Run } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { bytes } from '../../app/format.ts'
import { setParams } from '../../app/routes.ts'
import { api } from '../../state/engine.ts'
import { keys, useCheckpoints } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { toast } from '../../ui/toast.tsx'

/** Asks before a run goes with its folder, and says what that frees. */
export function RemoveRun({ run, open, onClose }: { run: Run; open: boolean; onClose: () => void }) {
  const disk = useQuery({ queryKey: keys.runDisk(run.id), queryFn: ({ signal }) => api.runs.disk({ id: run.id }, { signal }), enabled: open, staleTime: 0 })
  const checkpoints = (useCheckpoints().data ?? []).filter((checkpoint) => checkpoint.runId === run.id).length
  const remove = useMutation({
    mutationFn: () => api.runs.remove({ id: run.id }),
    onSuccess: ({ freedBytes }) => {
      toast({ tone: 'info', title: t('Run {number} is deleted', { number: run.number }), detail: t('{size} are free again.', { size: bytes(freedBytes) }) })
      onClose()
      setParams({ run: null })
    },
  })
  const goes = checkpoints > 0
    ? t('Its curves, probes and state go, and its {n, plural, one {# checkpoint} other {# checkpoints}} with their scores. This cannot be undone.', { n: checkpoints })
    : t('Its curves, probes and state go. This cannot be undone.')
  return (
    <Dialog open={open} onClose={onClose} title={t('Delete run {number}?', { number: run.number })}
      description={<>{goes}{disk.data ? <> {t('That frees {size}.', { size: bytes(disk.data.bytes) })}</> : null}</>}
      actions={<><Button size="l" onClick={onClose}>{t('Keep it')}</Button><Button size="l" kind="danger" busy={remove.isPending} onClick={() => remove.mutate()}>{t('Delete')}</Button></>}>
      {remove.error ? <ErrorNote error={remove.error} compact /> : null}
    </Dialog>
  )
}
