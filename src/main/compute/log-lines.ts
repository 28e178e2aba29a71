/** What a compute process writes on stderr, line by line, without the start-up notes of TensorFlow that nobody has to act on. */

/** Written by a library below TensorFlow before anything can turn them off. */
const HARMLESS = [/^WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR$/, /^I0000 [\d:. ]+ port\.cc:\d+\] oneDNN custom operations are on\./]

export interface LogLines {
  readonly add: (text: string) => void
  /** Nothing more comes: what stands in an unfinished line is given too. */
  readonly end: () => void
}

/** @param all gives the harmless lines too */
export function logLines(onLine: (line: string) => void, all = Boolean(process.env['AMC_DEBUG'])): LogLines {
  let rest = ''
  const give = (line: string): void => {
    const text = line.trimEnd()
    if (text !== '' && (all || !HARMLESS.some((pattern) => pattern.test(text)))) onLine(text)
  }
  return {
    add: (text) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      lines.forEach(give)
    },
    end: () => {
      give(rest)
      rest = ''
    },
  }
}
