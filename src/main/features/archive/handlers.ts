/** A project as one file, made and opened while the program goes on. */
import { resolve } from 'node:path'
import type { EngineContext, Handlers } from '../../engine/context.ts'
import { readArchive } from './read-archive.ts'
import { writeArchive } from './write-archive.ts'

export function archiveHandlers({ project, jobs, version }: EngineContext): Handlers<'archive'> {
  return {
    create: ({ out, images }) =>
      jobs.add({
        kind: 'archive', title: 'Archive this project', lane: 'files', unit: 'files',
        work: ({ signal, progress }) => writeArchive(project, { out: resolve(out), version, images, replace: false, signal, onProgress: (done, total) => progress({ done, total }) }),
      }),
    restore: ({ file, target }) =>
      jobs.add({
        kind: 'archive', title: 'Restore an archive', lane: 'files', unit: 'files',
        work: ({ signal, progress }) => readArchive(resolve(file), resolve(target), { signal, onProgress: (done, total) => progress({ done, total }) }),
      }),
  }
}
