/** Where the members of a zip archive lie in the file, for reading them by offset. Only stored (uncompressed) members are taken. */
import { type Entry, open, type ZipFile } from 'yauzl'
import { AppError, isAppError } from '../../shared/errors.ts'

export interface ZipMember {
  /** Offset of the first byte of data. */
  readonly start: number
  readonly bytes: number
}

const MAX_MEMBERS = 1_000_000

/** @throws AppError 'bad-input' when the archive is damaged or a member is compressed or encrypted. */
export function readZipEntries(path: string): Promise<Map<string, ZipMember>> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(isAppError(error) ? error : new AppError('bad-input', `${path} is not a whole zip archive: ${error.message}.`, 'Fetch it again.', path, { cause: error }))
    open(path, { lazyEntries: true, autoClose: false, decodeStrings: true }, (error, zip) => {
      if (error) return fail(error)
      const members = new Map<string, ZipMember>()
      const finish = (problem?: Error) => {
        zip.close()
        const shared = problem ? null : overlapping(members)
        if (problem) fail(problem)
        else if (shared) fail(new AppError('bad-input', `${path} is not a whole zip archive: its members ${shared} share bytes.`, 'Fetch it again.', path))
        else resolve(members)
      }
      zip.on('error', finish)
      zip.on('end', () => finish())
      zip.on('entry', (entry: Entry) => {
        locate(zip, entry, path).then(
          (member) => {
            members.set(entry.fileName, member)
            if (members.size > MAX_MEMBERS) finish(new AppError('bad-input', `${path} has more than ${MAX_MEMBERS} members.`, 'It is not a checkpoint.', path))
            else zip.readEntry()
          },
          (problem: Error) => finish(problem),
        )
      })
      zip.readEntry()
    })
  })
}

function locate(zip: ZipFile, entry: Entry, path: string): Promise<ZipMember> {
  if (entry.compressionMethod !== 0 || entry.generalPurposeBitFlag & 1 || entry.compressedSize !== entry.uncompressedSize) {
    return Promise.reject(new AppError('bad-input', `${entry.fileName} in ${path} is compressed or encrypted; PyTorch stores plainly.`, 'Save the checkpoint with torch.save, not with a zip program.', path))
  }
  return new Promise((resolve, reject) => {
    zip.readLocalFileHeader(entry, { minimal: true }, (error, header) => {
      if (error) reject(error)
      else resolve({ start: header.fileDataStart, bytes: entry.uncompressedSize })
    })
  })
}

/** Members that lie over one another would let a small file stand for a huge one. */
function overlapping(members: ReadonlyMap<string, ZipMember>): string | null {
  const sorted = [...members].filter(([, { bytes }]) => bytes > 0).sort(([, a], [, b]) => a.start - b.start)
  for (let i = 1; i < sorted.length; i++) {
    const [[before, first], [name, second]] = [sorted[i - 1]!, sorted[i]!]
    if (first.start + first.bytes > second.start) return `${before} and ${name}`
  }
  return null
}
