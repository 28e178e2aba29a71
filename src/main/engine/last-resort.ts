/** For what nothing caught. The program cannot be trusted to go on, but it can end in order. */
const GRACE_MS = 20_000

/**
 * From now on a fault that nothing caught is logged and closes what is open: edits are on disk already, a training run saves and can
 * be resumed, the project is free for the next start. Then the process ends with exit code 1; also when closing takes too long.
 * @returns takes it back
 */
export function closeOnFault(close: () => Promise<void>, graceMs = GRACE_MS): () => void {
  let closing = false
  const onFault = (error: unknown): void => {
    console.error('A fault of the program that nothing caught:', error)
    if (closing) return
    closing = true
    setTimeout(() => process.exit(1), graceMs)
    close().then(() => process.exit(1), () => process.exit(1))
  }
  process.on('uncaughtException', onFault) // rejections that nothing handles come here too
  return () => void process.off('uncaughtException', onFault)
}
