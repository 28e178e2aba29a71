/** Whether a file is the one it was, without reading all of it. */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'

/** Read of either end of a file: reading whole datasets would take minutes, and an image that changes does so in its ends or its length. */
const END_BYTES = 16_384

/** Length and a hash of both ends; null when it cannot be read. */
export async function filePrint(path: string): Promise<string | null> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      const hash = createHash('sha1')
      for (const from of new Set([0, Math.max(0, size - END_BYTES)])) {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(END_BYTES, size)), 0, null, from)
        hash.update(buffer.subarray(0, bytesRead))
      }
      return `${size}-${hash.digest('hex').slice(0, 16)}`
    } finally {
      await file.close()
    }
  } catch {
    return null
  }
}
