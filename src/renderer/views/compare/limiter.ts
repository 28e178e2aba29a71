/** At most `slots` calls at a time; the newest waiting call goes first, since what was scrolled to last is being looked at. */
export function limiter(slots: number): <T>(call: () => Promise<T>, signal?: AbortSignal) => Promise<T> {
  let running = 0
  const waiting: (() => void)[] = []
  const next = () => {
    running--
    waiting.pop()?.()
  }
  return async (call, signal) => {
    if (running >= slots) await new Promise<void>((resolve) => waiting.push(resolve))
    running++
    try {
      if (signal?.aborted) throw new DOMException('No longer wanted.', 'AbortError')
      return await call()
    } finally {
      next()
    }
  }
}
