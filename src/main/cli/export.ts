import { resolve } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import type { Command } from './command.ts'
import { pickDataset, pickNamed } from './lookup.ts'
import { orReplace } from './replace.ts'
import { PROJECT_OPTION, waitForJob, withProject } from './project.ts'

export const exportCommand: Command = {
  name: 'export',
  summary: 'Write a dataset, or a saved view of it, in an annotation format.',
  positionals: [],
  options: {
    project: PROJECT_OPTION,
    dataset: { type: 'string', value: 'NAME', help: 'Name or id; may be left out when there is only one.' },
    view: { type: 'string', value: 'NAME', help: 'Only the regions of this saved view.' },
    format: { type: 'string', value: 'NAME', help: 'amc-json, amc-jsonl, amc-csv, yolo, ...; a wrong name lists them all.', required: true },
    out: { type: 'string', value: 'PATH', help: 'File, or a folder that is empty or new.', required: true },
    images: { type: 'string', value: 'copy|refer', help: 'Copy the images beside the annotations, or name them as the source did (usual, except for formats that are folders of images).' },
    history: { type: 'boolean', help: 'With the earlier revisions of each region (amc-jsonl and amc-csv hold them).' },
    replace: { type: 'boolean', help: 'Overwrite a file. A folder is never overwritten.' },
    drop: { type: 'boolean', help: 'Leave out what the format cannot hold.' },
  },
  details: `What the format cannot hold is listed first: then nothing is written and the exit code is 3, unless --drop is given.
Rows that nobody touched are written as they came when the format is the one they came from. The result is there whole or not at all.
Result: {path, format, images, regions, lost: [{field, what, count, unit}], written}.`,
  run: (input, io) =>
    withProject(input, io, async (engine) => {
      const { datasets, views } = engine.handlers
      const dataset = await pickDataset(engine.handlers, input.text('dataset'))
      const named = input.text('view')
      const view = named === undefined ? null : pickNamed(await views.list({ datasetId: dataset.id }), named, 'view', 'view')
      const images = input.text('images')
      if (images !== undefined && images !== 'copy' && images !== 'refer') throw new AppError('usage', `--images is copy or refer; it is "${images}".`, '', 'images')
      const request = { datasetId: dataset.id, format: input.need('format'), ...(view ? { viewId: view.id } : {}), ...(input.has('history') ? { history: true } : {}) }
      const plan = await datasets.planExport(request, { signal: io.signal })
      const losses = plan.losses.map(({ what, count, unit, field }) => `  ${count} ${unit}: ${what} (${field})`)
      if (losses.length > 0 && !input.has('drop')) {
        return {
          json: { path: null, format: plan.format, images: plan.images, regions: plan.regions, lost: plan.losses, written: false },
          lines: [`${plan.format} cannot hold everything of ${dataset.name}:`, ...losses, 'Nothing was written. Leave this out with --drop, or choose another format (amc-jsonl holds everything).'],
          exitCode: 3,
        }
      }
      const job = await datasets.export({ ...request, out: resolve(input.need('out')), drop: true, replace: input.has('replace'), ...(images ? { images } : {}) })
      const written = (await orReplace(waitForJob(engine, job, io))) as { path: string; images: number; regions: number }
      return {
        json: { path: written.path, format: plan.format, images: written.images, regions: written.regions, lost: plan.losses, written: true },
        lines: [`${written.path}: ${written.images} images, ${written.regions} regions (${plan.format})`, ...(losses.length > 0 ? ['Left out:', ...losses] : [])],
      }
    }),
}
