import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import type { EngineCore } from '../engine/engine.ts'
import type { UpdateReport } from '../features/datasets/update-job.ts'
import type { Command, CommandInput, CommandIo, CommandResult } from './command.ts'
import { makeProject, NEW_PROJECT_OPTION, waitForJob, withProject } from './project.ts'

const SHOWN = 20

export const importCommand: Command = {
  name: 'import',
  summary: 'Bring a dataset of phrases and boxes into a project.',
  positionals: ['PATH'],
  options: {
    project: NEW_PROJECT_OPTION,
    format: { type: 'string', value: 'NAME', help: 'auto (usual), amc-json, coco, yolo, visual-genome, ...; a wrong name lists them all.' },
    images: { type: 'string', value: 'DIR', help: 'Folder of the images, when not beside the annotations.' },
    name: { type: 'string', value: 'NAME', help: 'Name of the dataset; usually that of the folder.' },
    again: { type: 'boolean', help: 'Make a second dataset of a source that is in the project already.' },
    update: { type: 'boolean', help: 'Read the source of a dataset that is there already again, instead of making another.' },
    'dry-run': { type: 'boolean', help: 'With --update: only say what would change.' },
    conflicts: { type: 'string', value: 'mine|theirs', help: 'With --update: who wins where both sides changed a region. Left out, such regions stay as they are and are listed (exit code 3).' },
    mine: { type: 'string', value: 'REGION', help: 'With --update: keep this region as it is here.', multiple: true },
    theirs: { type: 'string', value: 'REGION', help: 'With --update: take this region from the source.', multiple: true },
  },
  details: `PATH is a file or folder in one of the formats of docs/formats.md; which one is recognised.
What cannot be used is listed and skipped; a malformed file brings in nothing.
A source that is in the project already is refused: read it again with --update, or say --again.
Result: {dataset, name, format, images, regions, boxes, flagged: {outside-image, crosses-edge, ...: regions}, skipped: [{file, line, reason}]}.
With --update: {datasetId, addedImages, added, changed, removed, same, resolved, conflicts: [{regionId, image, mine, theirs}], skipped}.`,
  run: (input, io) => {
    if (input.has('update')) return withProject(input, io, (engine) => updateFrom(engine, resolve(input.positionals[0]!), input, io))
    return makeProject(input, io, async (engine) => {
      const { datasets } = engine.handlers
      const again = await nameOfAnother(engine, input)
      const images = input.text('images')
      const format = input.text('format')
      const name = input.text('name') ?? again
      const job = await datasets.import({
        path: resolve(input.positionals[0]!), ...(images ? { imagesDir: resolve(images) } : {}), ...(format ? { format } : {}), ...(name ? { name } : {}),
      })
      const { datasetId } = (await waitForJob(engine, job, io)) as { datasetId: string }
      const dataset = (await datasets.list({})).find((one) => one.id === datasetId)!
      const { listSkipped } = await import('../features/datasets/queries.ts')
      const skipped = listSkipped(engine.context.db, datasetId)
      const { boxes, flagged } = boxesOf(engine, datasetId)
      const json = { dataset: dataset.id, name: dataset.name, format: dataset.format, images: dataset.images, regions: dataset.regions, boxes, flagged, skipped }
      const left = skipped.slice(0, SHOWN).map(({ file, line, reason }) => `  ${file}${line === null ? '' : `:${line}`}  ${reason}`)
      return {
        json,
        lines: [
          `${dataset.name}: ${counted(dataset.images, 'image')}, ${counted(boxes, 'box', 'boxes')} in ${counted(dataset.regions, 'region')} (${dataset.format})`,
          ...Object.entries(FLAG_LINES).flatMap(([flag, words]) => (flagged[flag] ? [`${counted(flagged[flag], 'region')} with ${words}; kept as it is and flagged`] : [])),
          ...(skipped.length > 0 ? [`${skipped.length} skipped:`, ...left, ...(skipped.length > SHOWN ? [`  … and ${skipped.length - SHOWN} more (--json lists all)`] : [])] : []),
          `Next: look at it with \`amc serve --project ${input.need('project')}\`, or train on it with \`amc train\`.`,
        ],
      }
    })
  },
}

/**
 * Another dataset of the same source beside it is seldom meant, so it has to be asked for.
 * @returns with --again a name that no other has, else undefined
 * @throws AppError 'conflict'
 */
async function nameOfAnother({ context: { db, project } }: EngineCore, input: CommandInput): Promise<string | undefined> {
  const path = resolve(input.positionals[0]!)
  if (!existsSync(path)) return undefined // the import says so
  const [{ findFormat }, { datasetNameOf }, { datasetsFrom }] = await Promise.all([import('../formats/registry.ts'), import('../formats/read-dataset.ts'), import('../features/datasets/queries.ts')])
  const { name: format } = await findFormat(path, input.text('format'))
  const [same] = datasetsFrom(project, path, format)
  if (!same) return undefined
  if (!input.has('again')) throw new AppError('conflict', `${path} is in the project already, as the dataset ${same.name}.`, 'Bring that up to date with --update, or make a second one with --again.', path)
  const usual = datasetNameOf(path)
  let name = usual
  for (let n = 2; db.get('SELECT 1 FROM datasets WHERE name = ?', name); n++) name = `${usual} ${n}`
  return name
}

const FLAG_LINES = { 'outside-image': 'a box outside the image', 'crosses-edge': 'a box over the edge of the image' } as const

const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

/** `flagged`: regions by what is unusual about a box of theirs. */
function boxesOf({ context: { db } }: EngineCore, datasetId: string): { boxes: number; flagged: Record<string, number> } {
  const { boxes } = db.get<{ boxes: number }>('SELECT coalesce(sum(box_count), 0) AS boxes FROM regions WHERE dataset_id = ?', datasetId)!
  const rows = db.all<{ flag: string; n: number }>('SELECT flag.value AS flag, count(*) AS n FROM regions r, json_each(r.flags) flag WHERE r.dataset_id = ? GROUP BY 1', datasetId)
  return { boxes, flagged: Object.fromEntries(rows.map(({ flag, n }) => [flag, n])) }
}

async function updateFrom({ handlers, context }: EngineCore, path: string, input: CommandInput, io: CommandIo): Promise<CommandResult> {
  const otherwise = input.text('conflicts')
  if (otherwise !== undefined && otherwise !== 'mine' && otherwise !== 'theirs') throw new AppError('usage', `--conflicts is mine or theirs; it is "${otherwise}".`, 'Leave it out to see the conflicts first.', 'conflicts')
  const stored = context.project.toStored(path)
  const found = context.db.all<{ id: string; name: string }>("SELECT id, name FROM datasets WHERE source = ? AND state = 'ready' ORDER BY created_at DESC", stored)
  const named = input.text('name')
  const dataset = named === undefined ? found[0] : found.find((one) => one.name === named)
  if (!dataset) throw new AppError('not-found', `No dataset${named === undefined ? '' : ` ${named}`} was imported from ${path}.`, 'Import it without --update first.', path)
  const decisions = Object.fromEntries((['mine', 'theirs'] as const).flatMap((side) => input.all(side).map((id) => [id, side] as const)))
  const job = await handlers.datasets.update({ id: dataset.id, dryRun: input.has('dry-run'), decisions, ...(otherwise ? { otherwise } : {}) })
  const report = (await waitForJob({ handlers, context } as EngineCore, job, io)) as UpdateReport
  const { addedImages, added, changed, removed, same, resolved, conflicts, skipped } = report
  return {
    json: report,
    lines: [
      `${dataset.name}${input.has('dry-run') ? ' (nothing was changed)' : ''}: ${added} regions new, ${addedImages} of the images new, ${changed} changed, ${removed} gone, ${same} as before, ${skipped} skipped`,
      ...(resolved > 0 ? [`${resolved} conflicts decided`] : []),
      ...(conflicts.length > 0 ? [`${conflicts.length} regions were changed here and in the source; they stay as they are here:`, ...conflicts.slice(0, SHOWN).map(({ regionId, mine, theirs }) => `  ${regionId}  here "${mine.deleted ? '(deleted)' : mine.phrase}", there ${theirs ? `"${theirs.phrase}"` : 'gone'}`), 'Decide with --mine ID, --theirs ID, or --conflicts mine|theirs for all.'] : []),
    ],
    ...(conflicts.length > 0 ? { exitCode: 3 } : {}),
  }
}
