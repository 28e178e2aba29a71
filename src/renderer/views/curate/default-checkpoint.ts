/** Which checkpoint Curate begins with. */
import type { Checkpoint } from '../../../shared/domain.ts'

/** The best of the newest run, else the one that points best by its own figures, else the newest. */
export function defaultCheckpoint(checkpoints: readonly Checkpoint[]): Checkpoint | undefined {
  const newestFirst = [...checkpoints].sort((a, b) => b.createdAt.localeCompare(a.createdAt))
  const ofRun = newestFirst.find((checkpoint) => checkpoint.origin === 'run' && checkpoint.best)
  // Sorting is stable: among equals, and where no figures are known, the newest stays first.
  return ofRun ?? newestFirst.sort((a, b) => pointing(b) - pointing(a))[0]
}

function pointing(checkpoint: Checkpoint): number {
  const values = Object.entries(checkpoint.metrics).flatMap(([name, value]) => (/pointing/i.test(name) ? [value] : []))
  return Math.max(-1, ...values)
}
