/**
 * Errors that people read. Every expected failure carries a stable code, one plain sentence that says what happened
 * (and what is safe), and a cure. They cross process borders as plain data.
 */
export type ErrorCode =
  | 'usage' // the call itself is wrong (exit 2)
  | 'bad-input' // a file or value given by a person is wrong (exit 3)
  | 'not-found'
  | 'conflict' // somebody else changed it first; nothing was overwritten
  | 'runtime-missing' // TensorFlow or another part is not installed (exit 4)
  | 'disk-full'
  | 'locked' // another process holds the project
  | 'newer-version' // written by a newer version of the program
  | 'cancelled'
  | 'busy'
  | 'forbidden'
  | 'internal' // our fault (exit 1)

/** What became of every key of a checkpoint: how many fit, and the names of the others. */
export interface KeySummary {
  readonly loaded: number
  readonly missing: readonly string[]
  readonly unexpected: readonly string[]
  readonly reshaped: readonly string[]
}

export interface ErrorData {
  readonly code: ErrorCode
  readonly message: string
  readonly cure: string
  /** Where it happened: a file with line and column, a field, a tensor name. */
  readonly place?: string
  /** Of a checkpoint that does not fit: the whole account of its keys. */
  readonly keys?: KeySummary
}

export class AppError extends Error {
  readonly code: ErrorCode
  readonly cure: string
  readonly place: string | undefined
  readonly keys: KeySummary | undefined
  constructor(code: ErrorCode, message: string, cure = '', place?: string, options?: { cause?: unknown; keys?: KeySummary }) {
    super(message, options)
    this.name = 'AppError'
    this.code = code
    this.cure = cure
    this.place = place
    this.keys = options?.keys
  }
}

export function isAppError(error: unknown): error is AppError {
  return error instanceof AppError || (error instanceof Error && error.name === 'AppError' && 'code' in error)
}

/** Any thrown value as plain data; what is not an AppError is our fault and says so. */
export function toErrorData(error: unknown): ErrorData {
  if (isAppError(error)) {
    return { code: error.code, message: error.message, cure: error.cure, ...(error.place ? { place: error.place } : {}), ...(error.keys ? { keys: error.keys } : {}) }
  }
  const errno = (error as { code?: unknown } | null)?.code
  if (errno === 'ENOSPC' || errno === 'SQLITE_FULL') {
    return { code: 'disk-full', message: 'The disk is full, so this was not written.', cure: 'Free space, then try again.' }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'internal', message, cure: 'This is a fault of the program. The log has the details.' }
}

export function fromErrorData(data: ErrorData): AppError {
  return new AppError(data.code, data.message, data.cure, data.place, data.keys ? { keys: data.keys } : undefined)
}

/** Exit code of the command line for an error code. */
export function exitCodeOf(code: ErrorCode): 1 | 2 | 3 | 4 {
  if (code === 'usage') return 2
  if (code === 'runtime-missing') return 4
  if (code === 'internal') return 1
  return 3
}

/** The candidate nearest to a mistyped name by edit distance, for "did you mean"; null when nothing is near. */
export function nearest(name: string, candidates: readonly string[]): string | null {
  let best: string | null = null
  let bestDistance = Math.max(2, Math.floor(name.length / 2)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(substitution, previous[j]! + 1, row[j - 1]! + 1))
    }
    previous = row
  }
  return previous[b.length]!
}
