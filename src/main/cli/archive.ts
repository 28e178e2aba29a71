import { resolve } from 'node:path'
import type { Command } from './command.ts'
import { PROJECT_OPTION, withProject } from './project.ts'
import { orReplace } from './replace.ts'

export const archiveCommand: Command = {
  name: 'archive',
  summary: 'Pack a whole project into one zip file, with its images and a manifest of hashes.',
  positionals: [],
  options: {
    project: PROJECT_OPTION,
    out: { type: 'string', value: 'FILE', help: 'The zip file to make.', required: true },
    'without-images': { type: 'boolean', help: 'Leave out images that lie outside the project; they are then looked for where they are now.' },
    replace: { type: 'boolean', help: 'Overwrite the file.' },
  },
  details: `Holds the database as of one moment, runs, checkpoints and images. What can be made again (thumbnails) and what was exported stays out.
Result: {path, files, bytes, missing: [images and checkpoints that were not there, and images that were left out]}.`,
  run: (input, io) =>
    withProject(input, io, async ({ context }) => {
      const { writeArchive } = await import('../features/archive/write-archive.ts')
      const result = await orReplace(writeArchive(context.project, {
        out: resolve(input.need('out')), version: context.version, images: !input.has('without-images'), replace: input.has('replace'), signal: io.signal,
        onProgress: (done, total, name) => io.progress.report('Archiving', done, total, name),
      }))
      io.progress.end()
      return { json: result, lines: [`${result.path}: ${result.files} files, ${result.bytes} bytes`, ...(result.missing.length > 0 ? [`${result.missing.length} ${result.missing.length === 1 ? 'file is' : 'files are'} not in it:`, ...result.missing.slice(0, 20).map((path) => `  ${path}`)] : [])] }
    }),
}

export const restoreCommand: Command = {
  name: 'restore',
  summary: 'Unpack a project from an archive into a new folder, checking every file.',
  positionals: ['FILE'],
  options: { project: { type: 'string', value: 'DIR', help: 'Folder of the project; new or empty.', required: true } },
  details: `Every entry has to be in the manifest with its size and hash; a damaged one is named, and then nothing is restored.
Result: {path, project, files, bytes}.`,
  run: async (input, io) => {
    const { readArchive } = await import('../features/archive/read-archive.ts')
    const result = await readArchive(resolve(input.positionals[0]!), resolve(input.need('project')), { signal: io.signal, onProgress: (done, total, name) => io.progress.report('Restoring', done, total, name) })
    io.progress.end()
    return { json: result, lines: [`${result.path}: ${result.project}, ${result.files} files, ${result.bytes} bytes, all as archived`] }
  },
}
