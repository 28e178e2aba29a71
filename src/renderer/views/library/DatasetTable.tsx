import { useMutation } from '@tanstack/react-query'
import { Download, Ellipsis, FileWarning, Eye, EyeOff, RefreshCw, PencilRuler, Scale, Trash2, Activity as Pulse } from 'lucide-react'
import { useState } from 'react'
import { t } from '../../../shared/messages/messages.ts'
import type { Dataset } from '../../../shared/domain.ts'
import { count, fixed, listed, percent } from '../../app/format.ts'
import { navigate, setParams } from '../../app/routes.ts'
import { api } from '../../state/engine.ts'
import { sentence, thumbUrl } from '../../state/queries.ts'
import { Button } from '../../ui/Button.tsx'
import { cx } from '../../ui/cx.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { Menu } from '../../ui/Menu.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Bar } from '../../ui/Progress.tsx'
import table from '../../ui/table.module.css'
import { toast } from '../../ui/toast.tsx'
import { splitShares } from './splits.ts'
import styles from './library.module.css'

const FORMAT_NAMES: Readonly<Record<string, string>> = { 'amc-json': 'AMC JSON', 'amc-jsonl': 'AMC JSON Lines', 'amc-csv': 'AMC CSV', yolo: 'YOLO', coco: 'COCO', lvis: 'LVIS', 'pascal-voc': 'Pascal VOC', cvat: 'CVAT', 'label-studio': 'Label Studio', via: 'VIA', 'visual-genome': 'Visual Genome', refcoco: 'RefCOCO', flickr30k: 'Flickr30k Entities', 'open-images': 'Open Images', odvg: 'ODVG', demo: t('Demo') }
export const formatName = (format: string) => FORMAT_NAMES[format] ?? format

/** Enter or a double click opens a dataset in Curate; the arrows walk the rows. */
export function DatasetTable({ datasets, selectedId, onSkipped, onExport, onUpdate }: { datasets: readonly Dataset[]; selectedId: string | null; onSkipped: (dataset: Dataset) => void; onExport: (dataset: Dataset) => void; onUpdate: (dataset: Dataset) => void }) {
  const [removing, setRemoving] = useState<Dataset | null>(null)
  const watch = useMutation({ mutationFn: (dataset: Dataset) => api.datasets.setWatch({ id: dataset.id, on: !dataset.watched }), onError: (error) => toast({ tone: 'negative', title: sentence(error) }) })
  const onKeyDown = (event: React.KeyboardEvent, index: number) => {
    if (event.target !== event.currentTarget) return
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    const next = datasets[index + step]
    if (step && next) {
      event.preventDefault()
      setParams({ dataset: next.id })
      ;(event.currentTarget.parentElement?.children[index + step] as HTMLElement | undefined)?.focus()
    } else if (event.key === 'Enter') navigate('curate', { dataset: datasets[index]!.id })
  }
  return (
    <>
      <table className={cx(table.table, styles.datasets)}>
        <thead>
          <tr>
            <th>{t('Dataset')}</th><th className={table.num}>{t('Images')}</th><th className={table.num}>{t('Regions')}</th>
            <th className={styles.wide}>{t('Splits')}</th>
            <th className={styles.reviewed}>{t('Reviewed')}</th><th className={cx(table.num, styles.wide)}>{t('Consistency')}</th><th className={styles.end}><span className="visually-hidden">{t('Actions')}</span></th>
          </tr>
        </thead>
        <tbody>
          {datasets.map((dataset, i) => (
            <tr key={dataset.id} tabIndex={dataset.id === selectedId ? 0 : -1} aria-selected={dataset.id === selectedId} data-testid="dataset-row"
              onClick={() => setParams({ dataset: dataset.id })} onDoubleClick={() => navigate('curate', { dataset: dataset.id })} onKeyDown={(event) => onKeyDown(event, i)}>
              <td>
                <span className={styles.identity}>
                  <span className={cx(styles.strip, styles.wide)}>{[0, 1, 2].map((k) => <span key={k} className={styles.thumb}>{dataset.previewImageIds[k] ? <img src={thumbUrl(dataset.previewImageIds[k]!)} alt="" loading="lazy" draggable={false} /> : null}</span>)}</span>
                  <span className="col">
                    <span className={cx('med trunc t13')}>{dataset.name}</span>
                    <span className="t11 c2 trunc">
                      {formatName(dataset.format)}{dataset.watched ? ` · ${t('watched')}` : ''}
                      {dataset.conflicts ? <> · <button type="button" className={cx(styles.link, styles.waiting)} onClick={(event) => { event.stopPropagation(); onUpdate(dataset) }}>{t('{n, plural, one {# conflict} other {# conflicts}}', { n: dataset.conflicts })}</button></> : null}
                      {dataset.skipped > 0 ? <> · <button type="button" className={styles.link} onClick={(event) => { event.stopPropagation(); onSkipped(dataset) }}>{t('{n} skipped', { n: count(dataset.skipped) })}</button></> : null}
                    </span>
                  </span>
                </span>
              </td>
              <td className={table.num}>{count(dataset.images)}</td>
              <td className={table.num}>{count(dataset.regions)}</td>
              <td className={styles.wide}><SplitBar splits={dataset.splits} /></td>
              <td><Reviewed dataset={dataset} /></td>
              <td className={cx(table.num, styles.wide)}>{dataset.meanConsistency === null ? <span title={t('Score it with a checkpoint in Compare')}>–</span> : fixed(dataset.meanConsistency)}</td>
              <td className={styles.end} onClick={(event) => event.stopPropagation()}>
                <Menu align="end" trigger={<IconButton icon={Ellipsis} label={t('Actions for {name}', { name: dataset.name })} size="s" />} entries={[
                  { label: t('Curate'), icon: PencilRuler, onSelect: () => navigate('curate', { dataset: dataset.id }) },
                  { label: t('Train on it'), icon: Pulse, onSelect: () => navigate('train', { dataset: dataset.id }) },
                  { label: t('Compare checkpoints on it'), icon: Scale, onSelect: () => navigate('compare', { dataset: dataset.id }) },
                  { label: t('Export'), icon: Download, onSelect: () => onExport(dataset) },
                  { label: t('Update from its source'), icon: RefreshCw, onSelect: () => onUpdate(dataset) },
                  { label: dataset.watched ? t('Stop watching its source') : t('Watch its source'), icon: dataset.watched ? EyeOff : Eye, onSelect: () => watch.mutate(dataset) },
                  { label: t('Skipped at import'), icon: FileWarning, detail: count(dataset.skipped), disabled: dataset.skipped === 0, onSelect: () => onSkipped(dataset) },
                  null,
                  { label: t('Remove from project'), icon: Trash2, danger: true, onSelect: () => setRemoving(dataset) },
                ]} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <RemoveDialog dataset={removing} onClose={() => setRemoving(null)} />
    </>
  )
}

function Reviewed({ dataset }: { dataset: Dataset }) {
  const share = dataset.regions > 0 ? dataset.reviewed / dataset.regions : 0
  return (
    <span className={styles.share} title={t('{reviewed} of {n, plural, one {# region} other {# regions}} reviewed', { reviewed: count(dataset.reviewed), n: dataset.regions })}>
      <Bar share={share} tone={share >= 1 ? 'positive' : 'neutral'} />
      <span className={table.num}>{percent(share)}</span>
    </span>
  )
}

function SplitBar({ splits }: { splits: Readonly<Record<string, number>> }) {
  const shares = splitShares(splits)
  const text = listed(shares.map((split) => `${split.name} ${count(split.images)}`))
  return (
    <span className={styles.splits}>
      <span className={styles.stack} role="img" aria-label={text} title={text}>{shares.map((split) => <i key={split.name} style={{ width: `${split.share * 100}%`, background: split.colour }} />)}</span>
      <span className={styles.legend} aria-hidden="true">{shares.slice(0, 3).map((split) => <span key={split.name}><i style={{ background: split.colour }} />{split.name}</span>)}</span>
    </span>
  )
}

function RemoveDialog({ dataset, onClose }: { dataset: Dataset | null; onClose: () => void }) {
  const remove = useMutation({ mutationFn: (id: string) => api.datasets.remove({ id }), onSuccess: onClose })
  return (
    <Dialog open={dataset !== null} onClose={onClose} title={t('Remove {name}?', { name: dataset?.name ?? '' })}
      description={t('Its {n, plural, one {# region} other {# regions}} with their history, views and scores leave this project. The image files and the annotation files they came from stay where they are.', { n: dataset?.regions ?? 0 })}
      actions={<><Button size="l" onClick={onClose}>{t('Keep')}</Button><Button size="l" kind="danger" busy={remove.isPending} onClick={() => dataset && remove.mutate(dataset.id)}>{t('Remove dataset')}</Button></>}>
      {remove.error ? <ErrorNote error={remove.error} compact /> : null}
    </Dialog>
  )
}
