/** Measuring how far computed values are from recorded ones. */

export interface Check {
  readonly what: string
  readonly ok: boolean
  /** Largest absolute difference; 0 for exact comparisons that hold, 1 for those that do not. */
  readonly absError: number
  /** The same as a share of the recorded tensor's largest entry. */
  readonly relError: number
  /** One sentence; null when ok. */
  readonly fault: string | null
  /** What was allowed, in short; empty where nothing was measured. */
  readonly allowed: string
}

/** How far a value may be off. Absent limits do not apply. */
export interface Tolerance {
  /** Absolute, for every entry. */
  readonly absolute?: number
  /** Times the largest recorded entry. */
  readonly ofLargest?: number
  /** Norm of the difference as a share of the recorded norm. */
  readonly norm?: number
  /** The true value is 0 and what is recorded is rounding noise: a relative error means nothing. */
  readonly noise?: boolean
  /** Says it in words where the limits are worked out for each comparison. */
  readonly text?: string
}

/** What an independent float32 implementation holds, by group. */
export const TOLERANCES = {
  forward: { ofLargest: 2e-5 },
  losses: { absolute: 1e-5 },
  amc: { absolute: 3e-5 },
  gradients: { ofLargest: 2e-4, norm: 1e-4 },
  keyBiasGradients: { absolute: 1e-6, noise: true },
  /** `share`: of all parameters together, at most this share may be off by more than `most`. */
  parameters: { absolute: 2e-4, share: { outside: 1e-4, most: 1e-5 } },
  stepLosses: { absolute: 3e-5 },
  lateStepLosses: { absolute: 1e-4 },
  queues: { absolute: 1e-5 },
  positions: { absolute: 1e-5 },
  evaluation: { absolute: 5e-5 },
  masks: { absolute: 3e-5 },
  exact: { absolute: 0 },
  oneLevel: { absolute: 1 },
} as const satisfies Record<string, Tolerance & { share?: unknown }>

type Numbers = ArrayLike<number>

/** Compares entry by entry; another length or a NaN where none is recorded is a fault. */
export function compareNumbers(what: string, got: Numbers, want: Numbers, tolerance: Tolerance): Check {
  if (got.length !== want.length) return failed(what, `${got.length} values were computed, ${want.length} are recorded`)
  const { largest, worst, differenceNorm, norm } = measure(got, want)
  const faults: string[] = []
  const limit = (value: number, allowed: number | undefined, name: string): void => {
    if (allowed !== undefined && !(value <= allowed)) faults.push(`${name} ${value.toExponential(2)} is more than ${allowed.toExponential(2)}`)
  }
  limit(worst, tolerance.absolute, 'the largest difference')
  limit(worst, tolerance.ofLargest === undefined ? undefined : tolerance.ofLargest * largest, 'the largest difference')
  limit(differenceNorm, tolerance.norm === undefined ? undefined : tolerance.norm * norm, 'the norm of the difference')
  return {
    what,
    ok: faults.length === 0,
    absError: worst,
    relError: tolerance.noise ? 0 : largest > 0 ? worst / largest : worst,
    fault: faults.length === 0 ? null : `${what}: ${faults.join('; ')}`,
    allowed: describeTolerance(tolerance),
  }
}

function measure(got: Numbers, want: Numbers) {
  let [largest, worst, differenceSquares, squares] = [0, 0, 0, 0]
  for (let i = 0; i < want.length; i++) {
    const [a, b] = [got[i]!, want[i]!]
    if (Object.is(a, b) || a === b) {
      if (Number.isFinite(b)) {
        largest = Math.max(largest, Math.abs(b))
        squares += b * b
      }
      continue // infinities and NaN included
    }
    const difference = Math.abs(a - b)
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Infinity : difference
    largest = Math.max(largest, Math.abs(b))
    squares += b * b
    differenceSquares += difference * difference
  }
  return { largest, worst, differenceNorm: Math.sqrt(differenceSquares), norm: Math.sqrt(squares) }
}

function describeTolerance({ absolute, ofLargest, norm, text }: Tolerance): string {
  if (text) return text
  const short = (value: number): string => value.toExponential().replace('e+0', '')
  const parts = [
    absolute === undefined ? '' : absolute === 0 ? 'exact' : short(absolute),
    ofLargest === undefined ? '' : `${short(ofLargest)} of the largest entry`,
    norm === undefined ? '' : `${short(norm)} of the norm`,
  ]
  return parts.filter(Boolean).join(' and ')
}

/** Compares plain data by its JSON form. */
export function compareExactly(what: string, got: unknown, want: unknown): Check {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)]
  return a === b ? passed(what) : failed(what, `${shorten(a)} was computed, ${shorten(b)} is recorded`)
}

export function passed(what: string): Check {
  return { what, ok: true, absError: 0, relError: 0, fault: null, allowed: 'exact' }
}

export function failed(what: string, reason: string): Check {
  return { what, ok: false, absError: 1, relError: 1, fault: `${what}: ${reason}`, allowed: '' }
}

const shorten = (text: string | undefined): string => (text === undefined ? 'nothing' : text.length > 80 ? `${text.slice(0, 80)}...` : text)
