import type { Checkpoint, Run } from '../../../shared/domain.ts'
import { useRuns } from '../../state/queries.ts'
import { Section } from '../../ui/Pane.tsx'
import { configChanges } from './pick.ts'
import styles from './compare.module.css'

const SHOWN = 10

/** In which settings the runs of A and B differ. */
export function Changes({ a, b }: { a: Checkpoint; b: Checkpoint }) {
  const runs = useRuns()
  const runOf = (checkpoint: Checkpoint): Run | null => runs.data?.find((run) => run.id === checkpoint.runId) ?? null
  const [runA, runB] = [runOf(a), runOf(b)]
  if (!runA && !runB) return null
  const unknown = runA === null ? a : runB === null ? b : null
  const steps = a.step === b.step ? [] : [{ key: 'step', a: String(a.step ?? '–'), b: String(b.step ?? '–') }]
  const lines = unknown ? [] : [...steps, ...configChanges(runA?.config ?? null, runB?.config ?? null)]
  return (
    <Section title="What changed from A to B" className={styles.changes}>
      {unknown ? <p className="t12 c2">{unknown.name} is not from a run of this project, so its settings are not known.</p> : lines.length === 0 ? <p className="t12 c2">Nothing in the settings.</p> : (
        <dl className={styles.kv}>
          {lines.slice(0, SHOWN).map((line) => <div key={line.key} className={styles.pair}><dt className="trunc">{line.key}</dt><dd className="trunc">{line.a} → {line.b}</dd></div>)}
        </dl>
      )}
      {lines.length > SHOWN ? <p className="hint">and {lines.length - SHOWN} more</p> : null}
    </Section>
  )
}
