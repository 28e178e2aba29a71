/** Steps of set-up with their times: progress on stderr for people, a list for --json. */

/**
 * @typedef {{name: string, seconds: number, skipped: boolean}} Step
 * @typedef {{did: string} | {skipped: string}} Outcome  a few words for the person
 */

/**
 * @param {{quiet?: boolean, write?: (text: string) => void}} [options]
 */
export function makeSteps(options = {}) {
  const write = options.write ?? ((text) => void process.stderr.write(text))
  /** @type {Step[]} */
  const list = []
  return {
    list,
    /** A line for the person. @param {string} text */
    say(text) {
      if (!options.quiet) write(`${text}\n`)
    },
    /**
     * Runs one step; it says in a few words what it did or why it had nothing to do.
     * @param {string} name
     * @param {() => Promise<Outcome> | Outcome} work
     */
    async run(name, work) {
      const began = performance.now()
      const outcome = await work()
      const seconds = Math.round(performance.now() - began) / 1000
      const skipped = 'skipped' in outcome
      list.push({ name, seconds, skipped })
      if (!options.quiet) write(`${skipped ? '·' : '✓'} ${name.padEnd(14)} ${skipped ? outcome.skipped : outcome.did} (${seconds.toFixed(1)} s)\n`)
    },
  }
}
/** @typedef {ReturnType<typeof makeSteps>} Steps */
