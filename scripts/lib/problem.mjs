/** An expected failure of set-up: one plain sentence and what to do. Anything else that is thrown is our fault. */
export class Problem extends Error {
  /**
   * @param {string} message
   * @param {string} cure
   */
  constructor(message, cure = '') {
    super(message)
    this.name = 'Problem'
    this.cure = cure
  }
}

/** Full text for a person: the sentence, then the cure. @param {unknown} error */
export function explain(error) {
  if (error instanceof Problem) return error.cure ? `${error.message}\n  ${error.cure}` : error.message
  const code = /** @type {{code?: string}} */ (error)?.code
  if (code === 'ENOSPC') return 'The disk is full, so set-up stopped. Nothing half-written stays in use.\n  Free about 2 GB, then run the same command again.'
  if (code === 'EACCES' || code === 'EPERM') {
    return `${/** @type {Error} */ (error).message}\n  This folder cannot be written by you; check who owns it, then run the same command again.`
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
