/**
 * Compares everything a folder of recorded values holds with what is computed here. Cases are found by the folder's files;
 * nothing about its sizes or values is known beforehand.
 */
import { setImmediate } from 'node:timers/promises'
import { loadBackend } from '../compute/backend.ts'
import { AppError, isAppError } from '../../shared/errors.ts'
import { setTf, type Tf } from '../model/tf.ts'
import { checkpointCases } from './cases-checkpoints.ts'
import { forwardCases } from './cases-forward.ts'
import { gradientCases } from './cases-gradients.ts'
import { partCases } from './cases-parts.ts'
import { stepCases } from './cases-steps.ts'
import { evaluationCases } from './cases-evaluation.ts'
import { inputCases } from './cases-inputs.ts'
import { metricCases } from './cases-metrics.ts'
import { settingsCases } from './cases-settings.ts'
import { wordCases } from './cases-words.ts'
import { preparationCases } from './cases-preparation.ts'
import { failed, passed, type Check } from './compare.ts'
import { openGoldenFolder, type GoldenFolder } from './folder.ts'
import { listingCases } from './listing.ts'
import { goldenSetup, type GoldenCase, type GoldenSetup } from './setup.ts'

export interface GoldenCaseResult {
  readonly ok: boolean
  readonly maxAbsError: number
  /** As a share of the recorded tensor's largest entry. */
  readonly maxRelError: number
  /** What was allowed, in short. */
  readonly tolerance: string
  /** Comparisons made. */
  readonly checks: number
  readonly failedChecks: number
  /** What was furthest off its largest entry. */
  readonly worst: string | null
  /** The first few faults, in sentences. */
  readonly faults: readonly string[]
  /** What the comparison leaves open, in a sentence. */
  readonly note?: string
}

export interface GoldenReport {
  readonly dir: string
  readonly cases: Readonly<Record<string, GoldenCaseResult>>
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly { readonly name: string; readonly why: string }[]
  /** Values of known files that cannot be compared with anything, each with the reason; empty when only some cases were asked for. */
  readonly notCovered: readonly string[]
}

export interface GoldenOptions {
  /** TensorFlow; loaded when not given. */
  readonly tf?: Tf
  /** Only cases whose name contains one of these. */
  readonly only?: readonly string[]
  readonly onProgress?: (progress: GoldenProgress) => void
  readonly signal?: AbortSignal
}

export interface GoldenProgress {
  /** The case that was just compared. */
  readonly name: string
  readonly result: GoldenCaseResult
  readonly done: number
  readonly total: number
}

/** @throws AppError 'not-found' when dir is no golden folder. */
export async function runGolden(dir: string, { tf, only, onProgress, signal }: GoldenOptions = {}): Promise<GoldenReport> {
  setTf(tf ?? (await loadBackend()).tf)
  const folder = openGoldenFolder(dir)
  try {
    const setup = await goldenSetup(folder).catch((error: unknown) => {
      throw isAppError(error) ? error : new AppError('bad-input', `The model of ${dir} cannot be set up: ${String(error)}.`, 'Check that the folder is complete.', dir, { cause: error })
    })
    const found = [...listingCases(folder), ...wordCases(folder), ...checkpointCases(folder), ...partCases(folder), ...preparationCases(folder), ...metricCases(folder), ...(setup ? modelCases(setup) : [])]
    const isAsked = ({ name }: GoldenCase): boolean => !only || only.some((part) => name.includes(part))
    const cases = found.filter(isAsked)
    const skipped = found.filter((golden) => !isAsked(golden)).map(({ name }) => ({ name, why: 'It was not asked for.' }))
    if (!setup) skipped.push({ name: 'model', why: 'The folder has no checkpoint with inputs.' })
    const results: Record<string, GoldenCaseResult> = {}
    for (const [i, golden] of cases.entries()) {
      signal?.throwIfAborted()
      const result = summarize(golden, await checksOf(golden))
      results[golden.name] = result
      onProgress?.({ name: golden.name, result, done: i + 1, total: cases.length })
      await setImmediate() // a signal may have come
    }
    // Last, because it asks what all the others have read.
    if (!only) results[WHOLE] = summarize({ name: WHOLE }, wholeChecks(folder), Infinity)
    const all = Object.values(results)
    const passed = all.filter((result) => result.ok).length
    return { dir, cases: results, passed, failed: all.length - passed, skipped, notCovered: only ? [] : folder.leftOut() }
  } finally {
    folder.close()
  }
}

const modelCases = (setup: GoldenSetup): GoldenCase[] => [
  ...settingsCases(setup), ...inputCases(setup), ...forwardCases(setup), ...gradientCases(setup), ...stepCases(setup), ...evaluationCases(setup),
]

/** Fails when the folder holds what nothing here knows. */
const WHOLE = 'everything in the folder is known'

function wholeChecks(folder: GoldenFolder): Check[] {
  const unknown = folder.untouched()
  return unknown.length > 0 ? unknown.map((what) => failed(what, 'nothing here knows it')) : [passed(WHOLE)]
}

async function checksOf(golden: GoldenCase): Promise<readonly Check[]> {
  try {
    const checks = await golden.run()
    return checks.length > 0 ? checks : [failed(golden.name, 'nothing was compared')]
  } catch (error) {
    return [failed(golden.name, error instanceof Error ? error.message : String(error))]
  }
}

const FAULTS_SHOWN = 5

function summarize({ note }: Pick<GoldenCase, 'name' | 'note'>, checks: readonly Check[], shown = FAULTS_SHOWN): GoldenCaseResult {
  const faults = checks.flatMap(({ fault }) => (fault ? [fault] : []))
  const worst = checks.reduce((a, b) => (b.relError > a.relError ? b : a))
  return {
    ok: faults.length === 0,
    maxAbsError: Math.max(...checks.map(({ absError }) => absError)),
    maxRelError: worst.relError,
    tolerance: [...new Set(checks.map(({ allowed }) => allowed).filter(Boolean))].join('; '),
    checks: checks.length,
    failedChecks: faults.length,
    worst: worst.relError > 0 ? worst.what : null,
    faults: faults.slice(0, shown),
    ...(note ? { note } : {}),
  }
}
