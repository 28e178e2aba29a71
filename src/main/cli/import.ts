import { resolve } from 'node:path'
import type { Command } from './command.ts'
import { PROJECT_OPTION, waitForJob, withProject } from './project.ts'

const SHOWN = 20

export const importCommand: Command = {
  name: 'import',
  summary: 'Bring a dataset of phrases and boxes into a project.',
  positionals: ['PATH'],
  options: {
    project: PROJECT_OPTION,
    format: { type: 'string', value: 'NAME', help: 'auto (usual), amc-json, coco, yolo, visual-genome, ...; a wrong name lists them all.' },
    images: { type: 'string', value: 'DIR', help: 'Folder of the images, when not beside the annotations.' },
    name: { type: 'string', value: 'NAME', help: 'Name of the dataset; usually that of the folder.' },
  },
  details: `PATH is a file or folder in one of the formats of docs/formats.md; which one is recognised.
What cannot be used is listed and skipped; a malformed file brings in nothing.
Result: {dataset, name, format, images, regions, skipped: [{file, line, reason}]}.`,
  run: (input, io) =>
    withProject(input, io, async (engine) => {
      const { datasets } = engine.handlers
      const images = input.text('images')
      const format = input.text('format')
      const name = input.text('name')
      const job = await datasets.import({
        path: resolve(input.positionals[0]!), ...(images ? { imagesDir: resolve(images) } : {}), ...(format ? { format } : {}), ...(name ? { name } : {}),
      })
      const { datasetId } = (await waitForJob(engine, job, io)) as { datasetId: string }
      const dataset = (await datasets.list({})).find((one) => one.id === datasetId)!
      const { listSkipped } = await import('../features/datasets/queries.ts')
      const skipped = listSkipped(engine.context.db, datasetId)
      const json = { dataset: dataset.id, name: dataset.name, format: dataset.format, images: dataset.images, regions: dataset.regions, skipped }
      const left = skipped.slice(0, SHOWN).map(({ file, line, reason }) => `  ${file}${line === null ? '' : `:${line}`}  ${reason}`)
      return {
        json,
        lines: [
          `${dataset.name}: ${dataset.images} images, ${dataset.regions} regions (${dataset.format})`,
          ...(skipped.length > 0 ? [`${skipped.length} skipped:`, ...left, ...(skipped.length > SHOWN ? [`  … and ${skipped.length - SHOWN} more (--json lists all)`] : [])] : []),
        ],
      }
    }),
}
