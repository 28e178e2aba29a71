/** Progress on stderr: one line redrawn on a terminal, a line now and then in a log. */
import type { Progress } from './command.ts'

const TERMINAL_MS = 100
const LOG_MS = 5_000

export function createProgress(stream: { write: (text: string) => unknown; isTTY?: boolean; columns?: number }, now: () => number = Date.now): Progress {
  const everyMs = stream.isTTY ? TERMINAL_MS : LOG_MS
  let last = -Infinity
  let lastLabel = ''
  let open = false
  return {
    report(label, done, total, detail = '') {
      const finished = total > 0 && done >= total
      if (label === lastLabel && !finished && now() - last < everyMs) return
      last = now()
      lastLabel = label
      const share = total > 0 ? ` ${Math.floor((100 * done) / total)} %` : ''
      const line = `${label}${share} (${done}${total > 0 ? ` of ${total}` : ''})${detail ? `  ${detail}` : ''}`
      if (stream.isTTY) stream.write(`\r\u001B[2K${line.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`)
      else stream.write(`${line}\n`)
      open = stream.isTTY === true
    },
    end() {
      if (open) stream.write('\n')
      open = false
      lastLabel = ''
      last = -Infinity
    },
  }
}
