/** Steps of set-up with their times: progress on stderr for people, a list for --json. */

/**
 * @typedef {{name: string, seconds: number, skipped: boolean}} Step
 * @typedef {{did: string} | {skipped: string}} Outcome  a few words for the person
 * @typedef {{say: (text: string) => void, during: <T>(text: string, work: () => Promise<T>, measure?: () => string) => Promise<T>}} Teller
 *   say: a line; during: a line before long work, and how far it is while it lasts (`measure` gives that in a few words)
 */

/** Tells nobody: for calls whose progress is of no interest. @type {Teller} */
export const SILENT = { say: () => {}, during: (_text, work) => work() }

/**
 * On a terminal the line of long work is rewritten each second; elsewhere (a log, a pipe) a plain line comes now and then.
 * @param {{write?: (text: string) => void, terminal?: boolean, everyMs?: number}} [options]
 */
export function makeSteps(options = {}) {
  const write = options.write ?? ((text) => void process.stderr.write(text))
  const terminal = options.terminal ?? Boolean(process.stderr.isTTY && process.env['TERM'] !== 'dumb' && !process.env['CI'])
  const everyMs = options.everyMs ?? (terminal ? 1_000 : 15_000)
  /** @type {Step[]} */
  const list = []
  const CLEAR = '\r\x1b[K'
  /** Whether the cursor stands in a line that is being rewritten. */
  let rewriting = false
  /** A line for the person. @param {string} text */
  const say = (text) => write(`${rewriting ? CLEAR : ''}${text}\n`)

  /** @type {Teller['during']} */
  const during = async (text, work, measure) => {
    const began = performance.now()
    const state = () => [measure?.(), `${Math.round((performance.now() - began) / 1000)} s`].filter(Boolean).join(', ')
    // Written before the work begins: a person must never wonder whether anything happens.
    write(terminal ? `  ${text} …` : `  ${text} …\n`)
    rewriting = terminal
    const timer = setInterval(() => write(terminal ? `${CLEAR}  ${text} … ${state()}` : `    still at it: ${state()}\n`), everyMs)
    try {
      return await work()
    } finally {
      clearInterval(timer)
      rewriting = false
      if (terminal) write(CLEAR)
    }
  }

  return {
    list,
    say,
    during,
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
      write(`${skipped ? '·' : '✓'} ${name.padEnd(14)} ${skipped ? outcome.skipped : outcome.did} (${seconds.toFixed(1)} s)\n`)
    },
  }
}
/** @typedef {ReturnType<typeof makeSteps>} Steps */

/** A size for people. @param {number} bytes */
export const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`
