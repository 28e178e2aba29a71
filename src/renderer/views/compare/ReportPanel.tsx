import { useMutation } from '@tanstack/react-query'
import { FileDown, Table } from 'lucide-react'
import { useState } from 'react'
import { basis, changeWords, howIntervals, type IntervalKind, reportTitle, scatterWords } from '../../../shared/charts/captions.ts'
import { changeChart, scatterChart } from '../../../shared/charts/spread.ts'
import type { Comparison, ComparePair } from '../../../shared/contract/compare.ts'
import { t } from '../../../shared/messages/messages.ts'
import { saveFile } from '../../charts/save.ts'
import { api } from '../../state/engine.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import type { Choice } from './choice.ts'
import { Figure, InEnglish } from './Figure.tsx'
import type { Row } from './pick.ts'
import styles from './compare.module.css'

const PICTURES = (['0', '6', '12'] as const).map((value) => ({ value, label: value === '0' ? t('None') : value }))

/** The whole comparison as a file, its rows as another, and the charts on the screen with captions. */
export function ReportPanel({ comparison, choice, pair, rows, kind, onClose }: { comparison: Comparison; choice: Choice; pair: ComparePair; rows: readonly Row[]; kind: IntervalKind; onClose: () => void }) {
  const [pictures, setPictures] = useState<(typeof PICTURES)[number]['value']>('6')
  const split = choice.split === null ? {} : { split: choice.split }
  const ids = choice.sides.map((side) => side.id)
  const of = choice.kind === 'project' ? { population: { datasetId: choice.dataset.id, ...(choice.view ? { viewId: choice.view.id } : {}), ...split }, checkpointIds: ids } : { names: ids, ...split }
  const name = reportTitle(comparison)
  const report = useMutation({ mutationFn: () => api.compare.report({ of, interval: kind, pictures: Number(pictures) }), onSuccess: ({ html }) => saveFile(`${name}.html`, html, 'text/html') })
  const csv = useMutation({ mutationFn: () => api.compare.csv({ of }), onSuccess: (answer) => saveFile(`${name}.csv`, answer.csv, 'text/csv') })
  const points = rows.flatMap(({ a, b }) => (a.insideEnergy === null || b.insideEnergy === null ? [] : [{ a: a.insideEnergy, b: b.insideEnergy }]))
  const words = { scatter: scatterWords(comparison, pair, points.length), change: changeWords(comparison, pair, points.length, kind) }
  const [a, b] = [comparison.checkpoints[pair.a]!.name, comparison.checkpoints[pair.b]!.name]
  return (
    <Dialog open onClose={onClose} title={t('Report')} width="wide" closable description={`${basis(comparison)} ${howIntervals(comparison, kind)}`}>
      <InEnglish />
      <div className={styles.reportBar}>
        {choice.kind === 'project' ? <><span className="t12 c2">{t('Pictures of what was fixed and broken')}</span><Segmented small label={t('Pictures')} value={pictures} onChange={setPictures} options={PICTURES} /></> : null}
        <span className="grow" />
        <Button icon={Table} busy={csv.isPending} onClick={() => csv.mutate()}>{t('Rows as CSV')}</Button>
        <Button kind="primary" icon={FileDown} busy={report.isPending} onClick={() => report.mutate()}>{t('Report as HTML')}</Button>
      </div>
      {report.error ?? csv.error ? <ErrorNote error={report.error ?? csv.error} title={t('The file could not be made')} /> : null}
      {points.length > 0 ? (
        <>
          <Figure name={`consistency ${a} ${b}`} caption={words.scatter.description} draw={(ink) => scatterChart('report-scatter', points, words.scatter, ink)} />
          <Figure name={`change ${a} ${b}`} caption={words.change.description} draw={(ink) => changeChart('report-change', points.map((point) => point.b - point.a), words.change, ink)} />
        </>
      ) : null}
    </Dialog>
  )
}
