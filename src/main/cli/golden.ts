import { resolve } from 'node:path'
import type { GoldenReport } from '../golden/run-golden.ts'
import type { Command } from './command.ts'

export const goldenCommand: Command = {
  name: 'golden',
  summary: 'Recompute the values recorded from the published code in a folder, and say what differs.',
  positionals: ['DIR'],
  options: {
    only: { type: 'string', value: 'TEXT', help: 'Only cases whose name contains this.', multiple: true },
  },
  details: `Sizes, layers and cases come from the folder's own files. Everything recorded is compared within the tolerances of the format. A file, a
value or a tensor that nothing here knows fails by name; values of known files that cannot be compared with anything are listed with the reason.
Exit code 3 when a case fails or the folder is not of the format.
Result: {dir, cases: {NAME: {ok, maxAbsError, maxRelError, tolerance, checks, failedChecks, worst, faults, note}}, passed, failed, skipped, notCovered}.`,
  run: async (input, io) => {
    const { runGolden } = await import('../golden/run-golden.ts')
    const report = await runGolden(resolve(input.positionals[0]!), {
      ...(input.all('only').length > 0 ? { only: input.all('only') } : {}),
      onProgress: ({ name, done, total }) => io.progress.report('Comparing', done, total, name),
      signal: io.signal,
    })
    io.progress.end()
    const table = goldenTable(report)
    if (io.json) io.note(table)
    return { json: report, lines: [table], exitCode: report.failed > 0 || report.passed === 0 ? 3 : 0 }
  },
}

function goldenTable({ cases, passed, failed, skipped, notCovered }: GoldenReport): string {
  const width = Math.max(4, ...Object.keys(cases).map((name) => name.length)) + 2
  const error = (value: number): string => (value === 0 ? 'exact' : value.toExponential(1)).padStart(9)
  const rows = Object.entries(cases).flatMap(([name, { ok, maxAbsError, maxRelError, tolerance, checks, faults, note }]) => [
    `${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(width)}${error(maxAbsError)}${error(maxRelError)}${String(checks).padStart(7)}  ${tolerance}`,
    ...faults.map((fault) => `         ${fault}`),
    ...(note ? [`         ${note}`] : []),
  ])
  return [
    `       ${'case'.padEnd(width)} absolute relative checks  allowed`,
    ...rows,
    `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} not run` : ''}`,
    ...(notCovered.length > 0 ? ['Cannot be compared with anything:', ...notCovered.map((name) => `  ${name}`)] : []),
  ].join('\n')
}
