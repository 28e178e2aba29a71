/** Puts a report together: the comparison, tests of the explanations, pictures of its largest changes, and why its checkpoints differ. */
import type { EngineContext } from '../../../engine/context.ts'
import type { IntervalKind } from '../../../../shared/charts/captions.ts'
import type { Comparison, Population } from '../../../../shared/contract/compare.ts'
import { runDifference } from '../run-difference.ts'
import { reportDocument } from './document.ts'
import { examplesOf } from './pictures.ts'
import { testedOf } from './trust.ts'

export async function projectReport({ db, project, version }: Pick<EngineContext, 'db' | 'project' | 'version'>, population: Population, comparison: Comparison, { kind, pictures }: { kind: IntervalKind; pictures: number }): Promise<string> {
  const examples = []
  const differences = []
  for (const pair of comparison.pairs) {
    examples.push(await examplesOf(db, project, comparison, pair, pictures))
    differences.push(await runDifference(db, project, comparison.checkpoints[pair.a]!.id, comparison.checkpoints[pair.b]!.id))
  }
  return reportDocument({ comparison, kind, version, madeAt: new Date().toISOString(), examples, differences, tested: testedOf(db, population, comparison) })
}

/** Of result files: they know neither images nor runs. */
export function resultsReport(comparison: Comparison, kind: IntervalKind, version: string): string {
  return reportDocument({ comparison, kind, version, madeAt: new Date().toISOString(), examples: [], differences: comparison.pairs.map(() => null), tested: [] })
}
