import { useMutation } from '@tanstack/react-query'
import { FileDown, Table } from 'lucide-react'
import { useState } from 'react'
import { basis, changeCaption, howIntervals, type IntervalKind, scatterCaption } from '../../../shared/charts/captions.ts'
import { changeChart, scatterChart } from '../../../shared/charts/spread.ts'
import type { Comparison, ComparePair } from '../../../shared/contract/compare.ts'
import { saveFile } from '../../charts/save.ts'
import { api } from '../../state/engine.ts'
import { Button } from '../../ui/Button.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorNote } from '../../ui/Notes.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import type { Choice } from './choice.ts'
import { Figure } from './Figure.tsx'
import type { Row } from './pick.ts'
import styles from './compare.module.css'

const PICTURES = [{ value: '0', label: 'None' }, { value: '6', label: '6' }, { value: '12', label: '12' }] as const

/** The whole comparison as a file, its rows as another, and the charts on the screen with captions. */
export function ReportPanel({ comparison, choice, pair, rows, kind, onClose }: { comparison: Comparison; choice: Choice; pair: ComparePair; rows: readonly Row[]; kind: IntervalKind; onClose: () => void }) {
  const [pictures, setPictures] = useState<(typeof PICTURES)[number]['value']>('6')
  const split = choice.split === null ? {} : { split: choice.split }
  const ids = choice.sides.map((side) => side.id)
  const of = choice.kind === 'project' ? { population: { datasetId: choice.dataset.id, ...(choice.view ? { viewId: choice.view.id } : {}), ...split }, checkpointIds: ids } : { names: ids, ...split }
  const name = `${choice.sides.map((side) => side.name).join(' · ')} on ${comparison.title}`
  const report = useMutation({ mutationFn: () => api.compare.report({ of, interval: kind, pictures: Number(pictures) }), onSuccess: ({ html }) => saveFile(`${name}.html`, html, 'text/html') })
  const csv = useMutation({ mutationFn: () => api.compare.csv({ of }), onSuccess: (answer) => saveFile(`${name}.csv`, answer.csv, 'text/csv') })
  const points = rows.flatMap(({ a, b }) => (a.insideEnergy === null || b.insideEnergy === null ? [] : [{ a: a.insideEnergy, b: b.insideEnergy }]))
  const captions = { scatter: scatterCaption(comparison, pair, points.length), change: changeCaption(comparison, pair, points.length, kind) }
  const [a, b] = [comparison.checkpoints[pair.a]!.name, comparison.checkpoints[pair.b]!.name]
  return (
    <Dialog open onClose={onClose} title="Report" width="wide" closable description={`${basis(comparison)} ${howIntervals(comparison, kind)}`}>
      <div className={styles.reportBar}>
        {choice.kind === 'project' ? <><span className="t12 c2">Pictures of what was fixed and broken</span><Segmented small label="Pictures" value={pictures} onChange={setPictures} options={PICTURES} /></> : null}
        <span className="grow" />
        <Button icon={Table} busy={csv.isPending} onClick={() => csv.mutate()}>Rows as CSV</Button>
        <Button kind="primary" icon={FileDown} busy={report.isPending} onClick={() => report.mutate()}>Report as HTML</Button>
      </div>
      {report.error ?? csv.error ? <ErrorNote error={report.error ?? csv.error} title="The file could not be made" /> : null}
      {points.length > 0 ? (
        <>
          <Figure name={`consistency ${a} ${b}`} caption={captions.scatter} draw={(ink) => scatterChart('report-scatter', points, { title: 'Consistency of each phrase', description: captions.scatter, across: a, up: b }, ink)} />
          <Figure name={`change ${a} ${b}`} caption={captions.change} draw={(ink) => changeChart('report-change', points.map((point) => point.b - point.a), { title: 'Change of consistency', description: captions.change, across: 'change of consistency', up: 'phrases' }, ink)} />
        </>
      ) : null}
    </Dialog>
  )
}
