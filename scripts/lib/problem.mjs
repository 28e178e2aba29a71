/** An expected failure of set-up: one plain sentence and what to do. Anything else that is thrown is our fault. */
export class Problem extends Error {
  /**
   * @param {string} message
   * @param {string} cure
   * @param {number} exitCode as src/main/cli has them: 2 wrong usage, 4 something that the program runs on is missing
   */
  constructor(message, cure = '', exitCode = 4) {
    super(message)
    this.name = 'Problem'
    this.cure = cure
    this.exitCode = exitCode
  }
}

const DISK_FULL = /ENOSPC|No space left on device|not enough space on the disk|EDQUOT|Disk quota exceeded/i

/** The exit code of a failure: a fault of our own is 1. @param {unknown} error */
export function exitCodeOf(error) {
  if (error instanceof Problem) return error.exitCode
  const code = /** @type {{code?: string}} */ (error)?.code ?? ''
  return ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS'].includes(code) ? 4 : 1
}

/** Full text for a person: the sentence, then the cure. @param {unknown} error */
export function explain(error) {
  if (error instanceof Problem) return error.cure ? `${error.message}\n  ${error.cure}` : error.message
  const code = /** @type {{code?: string}} */ (error)?.code
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'The disk is full, so set-up stopped. Nothing half-written stays in use.\n  Free about 2 GB, then run the same command again.'
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return `${/** @type {Error} */ (error).message}\n  This place cannot be read or written by you. A source tree is for one person: clone it into a folder of your own, then run the same command there.`
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/**
 * What went wrong with another program, read from its own words, when it is one of the common causes that its caller would
 * otherwise call a bad network; null when it is none of them.
 * @param {string} what for example "npm could not install the dependencies"
 * @param {{stdout: string, stderr: string}} result
 * @param {readonly string[]} places folders that the program writes to
 */
export function commonProblem(what, result, places) {
  const text = `${result.stdout}\n${result.stderr}`
  if (DISK_FULL.test(text)) {
    return new Problem(`${what}: the disk is full. It writes to ${places.join(' and ')}. Nothing half-written stays in use.`, 'Free about 2 GB there (TMPDIR names another folder for temporary files), then run the same command again.')
  }
  if (/EACCES|Permission denied|EROFS|Read-only file system/i.test(text)) {
    return new Problem(`${what}: a folder cannot be written. It writes to ${places.join(' and ')}.`, 'Check who owns these folders. A source tree is for one person: clone it into a folder of your own. Then run the same command again.')
  }
  return null
}
