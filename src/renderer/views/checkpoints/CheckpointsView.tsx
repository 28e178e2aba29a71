import { Box, FileDown, Pencil, Star, Trash2 } from 'lucide-react'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { t } from '../../../shared/messages/messages.ts'
import type { Checkpoint } from '../../../shared/domain.ts'
import { useCommands } from '../../app/commands.ts'
import { bytes, count, parameters, when } from '../../app/format.ts'
import { formatHash, navigate, setParams, useRoute } from '../../app/routes.ts'
import { useStatus } from '../../app/status.ts'
import { api } from '../../state/engine.ts'
import { useCheckpoints, useRuns } from '../../state/queries.ts'
import { Button, ButtonLink } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { isEnter } from '../../ui/enter.ts'
import { Field, Input } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { EmptyState, ErrorNote, Loading } from '../../ui/Notes.tsx'
import { Pane, PaneHead, Section } from '../../ui/Pane.tsx'
import table from '../../ui/table.module.css'
import { Tag } from '../../ui/Tag.tsx'
import { CheckpointImport } from './CheckpointImport.tsx'
import { metricColumns, metricText, metricWord, protocolOf } from './metrics.ts'
import styles from './checkpoints.module.css'

const ORIGIN: Readonly<Record<Checkpoint['origin'], string>> = { run: t('run'), imported: t('imported'), shipped: t('shipped') }

export function CheckpointsView() {
  const { params } = useRoute()
  const checkpoints = useCheckpoints()
  const runs = useRuns()
  const importing = params.import === 'open'
  const openImport = () => setParams({ import: 'open' })
  useCommands([{ id: 'checkpoint.import', title: t('Import a checkpoint'), group: t('Checkpoints'), keys: 'i', icon: FileDown, run: openImport }])
  useStatus(checkpoints.data ? <span>{t('{n, plural, one {# checkpoint} other {# checkpoints}}', { n: checkpoints.data.length })} · {bytes(checkpoints.data.reduce((sum, c) => sum + c.sizeBytes, 0))}</span> : null)

  const chosen = checkpoints.data?.find((checkpoint) => checkpoint.id === params.id) ?? checkpoints.data?.[0]
  const runNumber = new Map((runs.data ?? []).map((run) => [run.id, run.number]))
  return (
    <div className={styles.screen}>
      <Pane label={t('Checkpoints')}>
        <PaneHead title={t('Checkpoints')}>
          <span className="grow" />
          <Button icon={FileDown} keys="i" onClick={openImport}>{t('Import')}</Button>
        </PaneHead>
        {checkpoints.isPending ? <Loading>{t('Loading checkpoints')}</Loading> : checkpoints.error ? (
          <div className={styles.note}><ErrorNote error={checkpoints.error} onRetry={() => void checkpoints.refetch()} /></div>
        ) : checkpoints.data.length === 0 ? (
          <EmptyState icon={Box} title={t('No checkpoints yet')} actions={<><Button kind="primary" icon={FileDown} onClick={openImport}>{t('Import a file')}</Button><ButtonLink href={formatHash('train')}>{t('Train one')}</ButtonLink></>}>
            {t('Import the weights of ALBEF or of the reference (.pth or .safetensors), or start a run: it keeps its best checkpoints here.')}
          </EmptyState>
        ) : (
          <CheckpointTable checkpoints={checkpoints.data} chosenId={chosen?.id ?? null} runNumber={runNumber} />
        )}
      </Pane>
      {importing ? <CheckpointImport onClose={() => setParams({ import: null })} /> : chosen ? <Details key={chosen.id} checkpoint={chosen} runNumber={chosen.runId ? (runNumber.get(chosen.runId) ?? null) : null} /> : null}
    </div>
  )
}

function CheckpointTable({ checkpoints, chosenId, runNumber }: { checkpoints: readonly Checkpoint[]; chosenId: string | null; runNumber: ReadonlyMap<string, number> }) {
  const columns = metricColumns(checkpoints, 3)
  const move = (event: React.KeyboardEvent, index: number) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    const next = checkpoints[index + step]
    if (!step || !next) return
    event.preventDefault()
    setParams({ id: next.id })
    ;(event.currentTarget.parentElement?.children[index + step] as HTMLElement | undefined)?.focus()
  }
  return (
    <div className="scroll grow">
      <table className={cx(table.table, styles.table)}>
        <thead>
          <tr>
            <th>{t('Checkpoint')}</th><th>{t('Origin')}</th><th className={table.num}>{t('Step')}</th><th className={cx(table.num, styles.wide)}>{t('Parameters')}</th><th className={cx(table.num, styles.wide)}>{t('Size')}</th>
            {columns.map((name) => <th key={name} className={cx(table.num, styles.metric)} title={name}><span>{metricWord(protocolOf(name).metric)}</span><span className={styles.protocol}>{protocolOf(name).protocol}</span></th>)}
          </tr>
        </thead>
        <tbody>
          {checkpoints.map((checkpoint, i) => (
            <tr key={checkpoint.id} tabIndex={checkpoint.id === chosenId ? 0 : -1} aria-selected={checkpoint.id === chosenId} onClick={() => setParams({ id: checkpoint.id, import: null })} onKeyDown={(event) => move(event, i)} data-testid="checkpoint-row">
              <td><span className="row gap1"><span className="med trunc">{checkpoint.name}</span>{checkpoint.best ? <span className="acc" title={t('Best of its run')}><Icon of={Star} size="xs" /></span> : null}</span></td>
              <td className="c2">{checkpoint.origin === 'run' && checkpoint.runId && runNumber.has(checkpoint.runId) ? t('run {number}', { number: runNumber.get(checkpoint.runId)! }) : ORIGIN[checkpoint.origin]}</td>
              <td className={table.num}>{checkpoint.step === null ? '–' : count(checkpoint.step)}</td>
              <td className={cx(table.num, styles.wide)}>{parameters(checkpoint.parameters)}</td>
              <td className={cx(table.num, styles.wide)}>{bytes(checkpoint.sizeBytes)}</td>
              {columns.map((name) => <td key={name} className={table.num}>{metricText(name, checkpoint.metrics[name])}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Details({ checkpoint, runNumber }: { checkpoint: Checkpoint; runNumber: number | null }) {
  const [dialog, setDialog] = useState<'rename' | 'remove' | null>(null)
  const names = Object.keys(checkpoint.metrics).sort()
  const title = <span className="trunc">{checkpoint.name}</span>
  return (
    <Pane label={t('Checkpoint {name}', { name: checkpoint.name })}>
      <PaneHead title={title}>
        <span className="grow" />
        <IconButton icon={Pencil} label={t('Rename')} onClick={() => setDialog('rename')} />
        <IconButton icon={Trash2} label={t('Remove')} onClick={() => setDialog('remove')} disabled={checkpoint.origin === 'shipped'} {...(checkpoint.origin === 'shipped' ? { hint: t('Shipped with the program, so it cannot be removed') } : {})} />
      </PaneHead>
      <div className="scroll grow">
        <Section>
          <dl className={styles.facts}>
            <dt>{t('Origin')}</dt><dd>{runNumber === null ? ORIGIN[checkpoint.origin] : <a href={formatHash('train', { run: checkpoint.runId })}>{t('run {number}', { number: runNumber })}</a>}</dd>
            <dt>{t('Model')}</dt><dd>{checkpoint.modelName}</dd>
            {checkpoint.step === null ? null : <><dt>{t('Step')}</dt><dd>{count(checkpoint.step)}</dd></>}
            <dt>{t('Parameters')}</dt><dd>{parameters(checkpoint.parameters)}</dd>
            <dt>{t('Size')}</dt><dd>{bytes(checkpoint.sizeBytes)}</dd>
            <dt>{t('Made')}</dt><dd>{when(checkpoint.createdAt)}</dd>
          </dl>
        </Section>
        <Section title={t('Metrics')} aside={t('protocol named')}>
          {names.length === 0 ? <p className="t12 c2">{t('Nothing measured yet. Score it on a dataset in Compare.')}</p> : (
            <dl className={styles.facts}>{names.map((name) => <div key={name} className={styles.pair}><dt>{name}</dt><dd>{metricText(name, checkpoint.metrics[name])}</dd></div>)}</dl>
          )}
        </Section>
        {checkpoint.best ? <Section><Tag tone="accent" icon={Star}>{t('best of its run')}</Tag></Section> : null}
      </div>
      <div className={styles.foot}>
        <Button onClick={() => navigate('curate', { checkpoint: checkpoint.id })}>{t('See its heat')}</Button>
        <Button onClick={() => navigate('compare', { b: checkpoint.id })}>{t('Compare')}</Button>
        <Button onClick={() => navigate('train', { start: checkpoint.id })}>{t('Train from it')}</Button>
      </div>
      <RenameDialog checkpoint={checkpoint} open={dialog === 'rename'} onClose={() => setDialog(null)} />
      <RemoveDialog checkpoint={checkpoint} open={dialog === 'remove'} onClose={() => setDialog(null)} />
    </Pane>
  )
}

function RenameDialog({ checkpoint, open, onClose }: { checkpoint: Checkpoint; open: boolean; onClose: () => void }) {
  const [name, setName] = useState(checkpoint.name)
  const rename = useMutation({ mutationFn: () => api.checkpoints.rename({ id: checkpoint.id, name: name.trim() }), onSuccess: onClose })
  return (
    <Dialog open={open} onClose={onClose} title={t('Rename checkpoint')} actions={<><Button size="l" onClick={onClose}>{t('Cancel')}</Button><Button size="l" kind="primary" disabled={!name.trim()} busy={rename.isPending} onClick={() => rename.mutate()}>{t('Rename')}</Button></>}>
      <Field label={t('Name')}>{({ id }) => <Input id={id} value={name} maxLength={120} onChange={(event) => setName(event.currentTarget.value)} onKeyDown={(event) => isEnter(event) && name.trim() && rename.mutate()} />}</Field>
      {rename.error ? <ErrorNote error={rename.error} compact /> : null}
    </Dialog>
  )
}

function RemoveDialog({ checkpoint, open, onClose }: { checkpoint: Checkpoint; open: boolean; onClose: () => void }) {
  const remove = useMutation({ mutationFn: () => api.checkpoints.remove({ id: checkpoint.id }), onSuccess: () => { onClose(); setParams({ id: null }) } })
  return (
    <Dialog open={open} onClose={onClose} title={t('Remove {name}?', { name: checkpoint.name })} description={t('Its {size} of weights, its scores and its heat are removed from this project. Annotations, other checkpoints and the run’s record stay.', { size: bytes(checkpoint.sizeBytes) })}
      actions={<><Button size="l" onClick={onClose}>{t('Keep')}</Button><Button size="l" kind="danger" busy={remove.isPending} onClick={() => remove.mutate()}>{t('Remove checkpoint')}</Button></>}>
      {remove.error ? <ErrorNote error={remove.error} compact /> : null}
    </Dialog>
  )
}
