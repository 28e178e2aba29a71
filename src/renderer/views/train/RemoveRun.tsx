import { useMutation, useQuery } from '@tanstack/react-query'
import type { Run } from '../../../shared/domain.ts'
import { bytes, counted } from '../../app/format.ts'
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
      toast({ tone: 'info', title: `Run ${run.number} is deleted`, detail: `${bytes(freedBytes)} are free again.` })
      onClose()
      setParams({ run: null })
    },
  })
  const size = disk.data ? ` That frees ${bytes(disk.data.bytes)}.` : ''
  return (
    <Dialog open={open} onClose={onClose} title={`Delete run ${run.number}?`}
      description={`Its curves, probes and state go${checkpoints > 0 ? `, and its ${counted(checkpoints, 'checkpoint')} with their scores` : ''}. This cannot be undone.${size}`}
      actions={<><Button size="l" onClick={onClose}>Keep it</Button><Button size="l" kind="danger" busy={remove.isPending} onClick={() => remove.mutate()}>Delete</Button></>}>
      {remove.error ? <ErrorNote error={remove.error} compact /> : null}
    </Dialog>
  )
}
