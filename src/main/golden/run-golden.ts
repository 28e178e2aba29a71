/**
 * Compares everything a folder of recorded values holds with what is computed here. Cases are found by the folder's files;
 * nothing about its sizes or values is known beforehand.
 */
import { loadBackend } from '../compute/backend.ts'
import { setTf, type Tf } from '../model/tf.ts'
import { forwardCases } from './cases-forward.ts'
import { gradientCases } from './cases-gradients.ts'
import { partCases } from './cases-parts.ts'
import { stepCases } from './cases-steps.ts'
import type { Check } from './compare.ts'
import { openGoldenFolder } from './folder.ts'
import { goldenSetup, type GoldenCase } from './setup.ts'

export interface GoldenCaseResult {
  readonly ok: boolean
  readonly maxAbsError: number
  /** As a share of the recorded tensor's largest entry. */
  readonly maxRelError: number
  /** Comparisons made. */
  readonly checks: number
  readonly failedChecks: number
  /** What was furthest off its largest entry. */
  readonly worst: string | null
  /** The first few faults, in sentences. */
  readonly faults: readonly string[]
}

export interface GoldenReport {
  readonly dir: string
  readonly cases: Readonly<Record<string, GoldenCaseResult>>
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly { readonly name: string; readonly why: string }[]
  /** Files in the folder that nothing here compares. */
  readonly notCovered: readonly string[]
}

export interface GoldenOptions {
  /** TensorFlow; loaded when not given. */
  readonly tf?: Tf
  /** Only cases whose name contains one of these. */
  readonly only?: readonly string[]
  readonly onCase?: (name: string, result: GoldenCaseResult) => void
  readonly signal?: AbortSignal
}

/** @throws AppError 'not-found' when dir is no golden folder. */
export async function runGolden(dir: string, { tf, only, onCase, signal }: GoldenOptions = {}): Promise<GoldenReport> {
  setTf(tf ?? (await loadBackend()).tf)
  const folder = openGoldenFolder(dir)
  try {
    const cases = partCases(folder)
    const skipped: { name: string; why: string }[] = []
    const setup = await goldenSetup(folder)
    if (setup) cases.push(...forwardCases(setup), ...gradientCases(setup), ...stepCases(setup))
    else skipped.push({ name: 'model', why: 'The folder has no checkpoint with inputs.' })
    const results: Record<string, GoldenCaseResult> = {}
    for (const golden of cases) {
      signal?.throwIfAborted()
      if (only && !only.some((part) => golden.name.includes(part))) {
        skipped.push({ name: golden.name, why: 'It was not asked for.' })
        continue
      }
      results[golden.name] = summarize(await checksOf(golden))
      onCase?.(golden.name, results[golden.name]!)
    }
    const all = Object.values(results)
    const passed = all.filter((result) => result.ok).length
    return { dir, cases: results, passed, failed: all.length - passed, skipped, notCovered: only ? [] : folder.untouched() }
  } finally {
    folder.close()
  }
}

async function checksOf(golden: GoldenCase): Promise<readonly Check[]> {
  try {
    const checks = await golden.run()
    if (checks.length > 0) return checks
    return [{ what: golden.name, ok: false, absError: 1, relError: 1, fault: `${golden.name}: nothing was compared` }]
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return [{ what: golden.name, ok: false, absError: 1, relError: 1, fault: `${golden.name}: ${message}` }]
  }
}

const FAULTS_SHOWN = 5

function summarize(checks: readonly Check[]): GoldenCaseResult {
  const faults = checks.flatMap(({ fault }) => (fault ? [fault] : []))
  const worst = checks.reduce((a, b) => (b.relError > a.relError ? b : a))
  return {
    ok: faults.length === 0,
    maxAbsError: Math.max(...checks.map(({ absError }) => absError)),
    maxRelError: worst.relError,
    checks: checks.length,
    failedChecks: faults.length,
    worst: worst.relError > 0 ? worst.what : null,
    faults: faults.slice(0, FAULTS_SHOWN),
  }
}
