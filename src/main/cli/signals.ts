/** Ctrl+C and its kin: the first asks for an orderly end, a second one ends at once. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * One Ctrl+C arrives several times: a terminal signals every process of its group, and those that started this one (npm, the `amc`
 * script) pass theirs on. Only what comes this much later is another key press.
 */
const SAME_PRESS_MS = 1000

/**
 * @param leave called when the person means it: a second press, later than the echoes of the first
 * @returns fires at the first signal
 */
export function stopOnSignals(source: Pick<NodeJS.Process, 'on'>, leave: () => void, now: () => number = () => performance.now()): AbortSignal {
  const stop = new AbortController()
  let firstMs = 0
  for (const signal of SIGNALS) {
    source.on(signal, () => {
      if (!stop.signal.aborted) {
        firstMs = now()
        stop.abort()
      } else if (now() - firstMs > SAME_PRESS_MS) leave()
    })
  }
  return stop.signal
}
