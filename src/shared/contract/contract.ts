/**
 * The whole interface between the page and the engine: procedures with schemas, and one stream of events. Written first;
 * the engine must fill it and the page can call nothing else. Images, thumbnails and files go over plain HTTP by id:
 * GET /media/image/:imageId, /media/thumb/:imageId, /media/tile/:imageId/:level/:x/:y (shared/tiles.ts).
 */
import { eventIterator, oc } from '@orpc/contract'
import { z } from 'zod'
import {
  boxSchema, checkpointSchema, datasetSchema, heatmapSchema, imageSchema, jobSchema, metricRowSchema, outlinesSchema, queueRowSchema, regionFilterSchema,
  regionSchema, regionSortSchema, regionFieldsSchema, revisionSchema, runSchema, scoresSchema, viewSchema,
} from '../domain.ts'
import { explainerChoiceSchema } from '../explainers.ts'
import { regionDiffSchema } from '../region-diff.ts'
import { bulkActionSchema, bulkPreviewSchema, selectionSchema } from './bulk.ts'
import { facetsSchema, reviewAgreementSchema, reviewProgressSchema } from './people.ts'
import { comparedResultsSchema, comparedSchema, comparisonSchema, reportOfSchema, resultFileSchema, runDifferenceSchema } from './compare.ts'
import { REASONS } from '../suspects/reasons.ts'
import { eventSchema } from './events.ts'
import { trustInputSchema, trustResultSchema } from './trust.ts'

export const keyReportSchema = z.object({
  loaded: z.number().int(),
  missing: z.array(z.string()),
  unexpected: z.array(z.string()),
  reshaped: z.array(z.string()),
})
/** Expected failures travel as defined errors: data is ErrorData of errors.ts. */
export const errorDataSchema = z.object({ code: z.string(), message: z.string(), cure: z.string(), place: z.string().optional(), keys: keyReportSchema.readonly().optional() })
/** Over plain HTTP; the code inside tells what kind of failure it is. */
export const APP_STATUS = 422
const base = oc.errors({ APP: { status: APP_STATUS, message: 'A plain sentence', data: errorDataSchema } })
const call = <I extends z.ZodType, O extends z.ZodType>(input: I, output: O) => base.input(input).output(output)
const none = z.object({})
const byId = z.object({ id: z.string() })

export const skippedSchema = z.object({ file: z.string(), line: z.number().nullable(), reason: z.string() })

export const exportSourceSchema = z.object({ datasetId: z.string(), viewId: z.string().optional(), format: z.string(), history: z.boolean().optional() })
const sideSchema = z.enum(['mine', 'theirs'])
export const lossSchema = z.object({ field: z.string(), what: z.string(), count: z.number().int(), unit: z.enum(['regions', 'images', 'boxes']) })

/** One edit: either a diff of an existing region or the creation of a new one with an id minted by the client. */
export const regionEditSchema = z.union([
  z.object({ regionId: z.string(), revision: z.number().int(), diff: regionDiffSchema }),
  z.object({ regionId: z.string(), imageId: z.string(), create: regionFieldsSchema }),
])
export type RegionEdit = z.input<typeof regionEditSchema>
export const editResultSchema = z.object({
  regions: z.array(regionSchema),
  /** Labels of what undo and redo would do next, null when there is nothing. */
  undoLabel: z.string().nullable(),
  redoLabel: z.string().nullable(),
  /** Ids of the same two edits, so that a step can name the one it means. */
  undoEditId: z.string().nullable(),
  redoEditId: z.string().nullable(),
})
/** The edit that a step back or forward means; without it whatever is next. */
const stepSchema = z.object({ editId: z.string().optional() })

export const doctorLineSchema = z.object({ name: z.string(), value: z.string(), ok: z.boolean(), cure: z.string().nullable() })
export const settingSchema = z.object({
  key: z.string(),
  label: z.string(),
  help: z.string(),
  kind: z.enum(['integer', 'number', 'boolean', 'choice', 'text']),
  choices: z.array(z.string()).optional(),
  value: z.unknown(),
  advanced: z.boolean(),
})
export const presetSchema = z.object({
  name: z.string(), title: z.string(), summary: z.string(), settings: z.array(settingSchema),
})
export type Preset = z.infer<typeof presetSchema>
export const runInputSchema = z.object({
  name: z.string().optional(),
  preset: z.string(),
  /** Flat overrides, e.g. {"steps": 300, "loss.amc": 0}. */
  overrides: z.record(z.string(), z.unknown()),
  datasetId: z.string(),
  viewId: z.string().optional(),
  startCheckpointId: z.string().optional(),
})
const frozenSampleSchema = z.object({ regionId: z.string(), imageId: z.string(), phrase: z.string(), revision: z.number().int(), split: z.string() })
const frozenSideSchema = z.object({ phrase: z.string(), revision: z.number().int(), split: z.string() })
export const runEstimateSchema = z.object({
  problems: z.array(z.object({ key: z.string(), message: z.string(), blocking: z.boolean() })),
  trainRegions: z.number().int(),
  valRegions: z.number().int(),
  totalSteps: z.number().int(),
  secondsEstimate: z.number().nullable(),
  memoryBytes: z.number().nullable(),
  memoryAvailableBytes: z.number(),
  diskBytes: z.number().nullable(),
  diskAvailableBytes: z.number(),
})

const reasonName = z.enum(REASONS)
/** One reason of a suspicion with the numbers that its sentence says: see suspects/reasons.ts. */
export const reasonSchema = z.object({
  name: reasonName, strength: z.number(), numbers: z.array(z.number()), otherId: z.string().optional(),
  oddity: z.enum(['outside-image', 'crosses-edge', 'no-area', 'inverted', 'tiny', 'whole-image', 'thin']).optional(),
})
export const learnedSchema = z.object({
  decisions: z.number().int(), agreed: z.number().int(),
  reasons: z.array(z.object({ name: reasonName, agreed: z.number().int(), asked: z.number().int(), weight: z.number(), usual: z.number() })),
})
export type Learned = z.infer<typeof learnedSchema>

export const contract = {
  system: {
    info: call(none, z.object({
      version: z.string(), project: z.object({ name: z.string(), path: z.string() }),
      backend: z.object({ ready: z.boolean(), library: z.string(), device: z.string(), message: z.string() }),
      author: z.string(),
    })),
    doctor: call(none, z.object({ lines: z.array(doctorLineSchema) })),
    /** Kept in the project; written beside each edit from now on. */
    setAuthor: call(z.object({ author: z.string().trim().min(1).max(80) }), none),
    storage: call(none, z.object({ databaseBytes: z.number(), cacheBytes: z.number(), runsBytes: z.number(), freeBytes: z.number() })),
    /** Everything that changes, from now on. A page refetches what an event names. */
    events: base.input(none).output(eventIterator(eventSchema)),
  },
  datasets: {
    list: call(none, z.array(datasetSchema)),
    preview: call(z.object({ path: z.string(), imagesDir: z.string().optional() }), z.object({
      format: z.string(), images: z.number().int(), regions: z.number().int(), fields: z.array(z.object({ from: z.string(), to: z.string() })),
      skipped: z.array(skippedSchema), flagged: z.record(z.string(), z.number().int()),
      samples: z.array(z.object({ phrase: z.string(), boxes: z.array(boxSchema), width: z.number(), height: z.number(), thumb: z.string() })),
      /** Datasets that were imported from this source in this format, the newest first. */
      there: z.array(z.object({ id: z.string(), name: z.string() })),
    })),
    import: call(z.object({ path: z.string(), imagesDir: z.string().optional(), name: z.string().optional(), format: z.string().optional() }), jobSchema),
    /** Formats by name, and which of them can be written. */
    formats: call(none, z.array(z.object({ name: z.string(), title: z.string(), writes: z.boolean(), file: z.string().nullable(), needsImages: z.boolean() }))),
    /** What an export would write, and what the format cannot hold of it. */
    planExport: call(exportSourceSchema, z.object({ format: z.string(), images: z.number().int(), regions: z.number().int(), losses: z.array(lossSchema) })),
    /** 'conflict' when something would be lost and `drop` is not set: nothing is left out behind anybody's back. */
    export: call(exportSourceSchema.extend({ out: z.string().min(1), images: z.enum(['copy', 'refer']).optional(), replace: z.boolean().optional(), drop: z.boolean().optional() }), jobSchema),
    /**
     * Reads the source again: what is new comes in, what nobody touched is updated, and where both sides changed a region it is a conflict. With
     * `dryRun` nothing is changed. The result of the job is an update report.
     */
    update: call(z.object({ id: z.string(), dryRun: z.boolean().optional(), decisions: z.record(z.string(), sideSchema).optional(), otherwise: sideSchema.optional() }), jobSchema),
    /** Looks at the source now and then, and updates when it changed; conflicts wait for a person. Off until asked for. */
    setWatch: call(z.object({ id: z.string(), on: z.boolean() }), none),
    /** Makes the demo and imports it into this project. */
    demo: call(none, jobSchema),
    skipped: call(byId, z.array(skippedSchema)),
    remove: call(byId, none),
    /** Lists a folder on the engine's machine, so that a page in a browser can choose a path too. */
    browse: call(z.object({ path: z.string().optional() }), z.object({
      path: z.string(), parent: z.string().nullable(), entries: z.array(z.object({ name: z.string(), path: z.string(), folder: z.boolean() })),
    })),
  },
  archive: {
    /** Packs the whole project into one zip file that is not there yet. The result of the job: {path, files, bytes, missing: [image files that are not in it]}. */
    create: call(z.object({ out: z.string().min(1), images: z.boolean() }), jobSchema),
    /** Unpacks an archive into an empty or new folder, as a project of its own beside this one. The result of the job: {path, project, files, bytes}. */
    restore: call(z.object({ file: z.string().min(1), target: z.string().min(1) }), jobSchema),
  },
  regions: {
    /** With a snapshot the order is the one of its first page, however much is edited and scored meanwhile; 'not-found' when it is not kept any more. */
    query: call(z.object({
      filter: regionFilterSchema, sort: regionSortSchema, descending: z.boolean(), seed: z.number().int().optional(), offset: z.number().int(), limit: z.number().int().max(2000),
      snapshot: z.object({ owner: z.string(), number: z.number().int() }).optional(), find: z.string().optional(),
    }), z.object({ total: z.number().int(), rows: z.array(queueRowSchema), reviewed: z.number().int(), foundAt: z.number().int().nullable() })),
    /** One image with all its live regions, and their stored scores for the checkpoints asked. */
    onImage: call(z.object({ imageId: z.string(), checkpointIds: z.array(z.string()) }), z.object({
      image: imageSchema, regions: z.array(regionSchema), scores: z.record(z.string(), z.record(z.string(), scoresSchema)),
    })),
    history: call(byId, z.array(revisionSchema)),
    /** All edits in one transaction, or none. On disk before it answers. A stale revision is a conflict. */
    apply: call(z.object({
      editId: z.string(), label: z.string(), edits: z.array(regionEditSchema).min(1),
      /** The suspect whose reasons were on screen: what is done with it teaches which reasons are right. */
      suspect: z.object({ regionId: z.string(), checkpointId: z.string() }).optional(),
    }), editResultSchema),
    /** The same step asked again answers as before and changes nothing; a step that is not next any more is a conflict. */
    undo: call(stepSchema, editResultSchema),
    redo: call(stepSchema, editResultSchema),
    undoState: call(none, editResultSchema.omit({ regions: true })),
    /** What an edit of many regions would do. */
    previewBulk: call(z.object({ selection: selectionSchema, action: bulkActionSchema, offset: z.number().int().min(0), limit: z.number().int().min(0).max(500) }), bulkPreviewSchema),
    /** One edit of many regions: all of it or nothing, one step of undo. Ending the call takes it back. keep: regions that are locked, which are not deleted. */
    bulk: call(
      z.object({ editId: z.string(), selection: selectionSchema, action: bulkActionSchema, since: z.string().optional(), keep: z.array(z.string()).max(100_000).optional() }),
      editResultSchema.omit({ regions: true }).extend({ selected: z.number().int(), changed: z.number().int(), kept: z.number().int() }),
    ),
    /** Names to filter by, with their numbers of regions. */
    facets: call(z.object({ datasetId: z.string() }), facetsSchema),
    progress: call(z.object({ datasetId: z.string() }), reviewProgressSchema),
    /** Where two people decided the same region, the furthest apart first. */
    agreement: call(z.object({ datasetId: z.string(), limit: z.number().int().min(1).max(1000) }), reviewAgreementSchema),
  },
  views: {
    list: call(z.object({ datasetId: z.string() }), z.array(viewSchema)),
    save: call(viewSchema.omit({ count: true }), viewSchema),
    remove: call(byId, none),
  },
  heatmaps: {
    /** Without an explainer AMC's own map, whose scores the regions carry. */
    get: call(z.object({ imageId: z.string(), checkpointId: z.string(), phrase: z.string(), explainer: explainerChoiceSchema.optional() }), heatmapSchema),
  },
  checkpoints: {
    list: call(none, z.array(checkpointSchema)),
    import: call(z.object({ path: z.string(), name: z.string().optional(), modelConfig: z.string().optional(), allowMissing: z.boolean().optional() }),
      z.object({ checkpoint: checkpointSchema, keys: keyReportSchema, notes: z.array(z.string()) })),
    /** The account of keys before anything is imported. */
    inspect: call(z.object({ path: z.string(), modelConfig: z.string().optional() }), z.object({ keys: keyReportSchema, notes: z.array(z.string()), modelName: z.string(), parameters: z.number().int(), sizeBytes: z.number() })),
    /** What an import said of its keys; null for a checkpoint that was not imported. */
    keys: call(byId, z.object({ keys: keyReportSchema.nullable() })),
    rename: call(z.object({ id: z.string(), name: z.string() }), checkpointSchema),
    remove: call(byId, none),
  },
  runs: {
    presets: call(none, z.array(presetSchema)),
    estimate: call(runInputSchema, runEstimateSchema),
    start: call(runInputSchema, runSchema),
    /** A run for each combination of the values of one or two settings, all or none, named by their values. */
    sweep: call(z.object({ run: runInputSchema, axes: z.array(z.object({ key: z.string(), values: z.array(z.unknown()).min(1) })).min(1).max(2) }), z.array(runSchema)),
    /** Makes three steps of these settings for real and measures them; the job's result is {stepSeconds, validationSeconds, totalSeconds}. */
    trial: call(runInputSchema, jobSchema),
    /** Takes it out of the queue, or saves its state after the step in hand; it can be resumed, at the end of the queue. */
    stop: call(byId, runSchema),
    /** As stop, but it keeps its place in the queue and waits there until it is resumed. */
    pause: call(byId, runSchema),
    /** Goes on from the last saved state: of a run that is paused, stopped or failed. */
    resume: call(byId, runSchema),
    /** Moves a run that waits or pauses to a place among those, counted from 0. */
    move: call(z.object({ id: z.string(), index: z.number().int() }), runSchema),
    edit: call(z.object({ id: z.string(), name: z.string().max(80).optional(), note: z.string().max(20_000).optional(), tags: z.array(z.string().max(40)).max(20).optional() }), runSchema),
    /** What the run is frozen with: a page of its samples, and the corrections it is the first to see of the runs on its dataset: 200 of them, and the ids of 5,000. */
    snapshot: call(z.object({ id: z.string(), offset: z.number().int().min(0), limit: z.number().int().min(1).max(1000) }), z.object({
      frozenAt: z.string(), regions: z.number().int(), images: z.number().int(), splits: z.record(z.string(), z.number().int()),
      samples: z.array(frozenSampleSchema), firstSeen: z.number().int(), corrections: z.array(frozenSampleSchema), correctionIds: z.array(z.string()),
    })),
    /** What a run from this checkpoint would see that the checkpoint has not: against the data of the run that it is from, else against the import. */
    changedSince: call(z.object({ datasetId: z.string(), viewId: z.string().optional(), startCheckpointId: z.string(), includeRejected: z.boolean().optional() }), z.object({
      run: z.object({ id: z.string(), number: z.number().int() }).nullable(), corrected: z.number().int(), train: z.number().int(), leftOut: z.number().int(), firstSeen: z.number().int(),
    })),
    /** How its data differs from what the same start would freeze now; at most 200 changes are listed, all are counted. */
    dataChanges: call(byId, z.object({
      unchanged: z.number().int(), counts: z.record(z.enum(['edited', 'removed', 'rejected', 'moved', 'added']), z.number().int()),
      changes: z.array(z.object({
        kind: z.enum(['edited', 'removed', 'rejected', 'moved', 'added']), regionId: z.string(), imageId: z.string(),
        before: frozenSideSchema.nullable(), now: frozenSideSchema.nullable(), shapeChanged: z.boolean(),
      })),
    })),
    /** What its folder takes, and what older checkpoints that made room have freed. */
    disk: call(byId, z.object({ bytes: z.number(), checkpoints: z.number().int(), checkpointBytes: z.number(), stateBytes: z.number(), cleared: z.number().int(), clearedBytes: z.number() })),
    /** The run with its checkpoints and their scores; refused while it is in the queue. */
    remove: call(byId, z.object({ freedBytes: z.number() })),
    list: call(none, z.array(runSchema)),
    get: call(byId, runSchema),
    metrics: call(z.object({ id: z.string(), afterStep: z.number().int() }), z.array(metricRowSchema)),
    /** Heatmaps of the run's probe samples at each validation, for the film strip. */
    probes: call(byId, z.object({
      samples: z.array(z.object({ regionId: z.string(), imageId: z.string(), phrase: z.string(), boxes: z.array(boxSchema), outlines: outlinesSchema, width: z.number(), height: z.number() })),
      frames: z.array(z.object({ step: z.number().int(), heat: z.array(z.object({ grid: heatmapSchema.shape.grid, peak: heatmapSchema.shape.peak, insideEnergy: z.number(), pointingHit: z.boolean() })) })),
    })),
    log: call(byId, z.array(z.object({ at: z.string(), text: z.string() }))),
  },
  scores: {
    /** Scores what has no score yet: a dataset or a saved view of it, all of it or some splits. The job's result says under which protocol they are kept: with an explainer, one that carries its name. */
    compute: call(z.object({ datasetId: z.string(), checkpointId: z.string(), splits: z.array(z.string()).optional(), viewId: z.string().optional(), explainer: explainerChoiceSchema.optional() }), jobSchema),
    summary: call(z.object({ datasetId: z.string(), protocol: z.string().optional() }), z.array(z.object({
      checkpointId: z.string(), split: z.string(), regions: z.number().int(), pointingGame: z.number(), consistency: z.number(),
    }))),
  },
  suspects: {
    /** Why a region may be wrong by a checkpoint, as things stand; the suspicion is null without a score. */
    of: call(z.object({ regionId: z.string(), checkpointId: z.string() }), z.object({ suspicion: z.number().nullable(), reasons: z.array(reasonSchema) })),
    /** How many of a queue are more likely wrong than right, by the filter's checkpoint. */
    count: call(z.object({ filter: regionFilterSchema }), z.object({ suspects: z.number().int() })),
    /** How often each reason was accepted, and what it weighs for it. */
    learned: call(none, learnedSchema),
    /** Forgets the decisions; the reasons weigh what they usually do. */
    forget: call(none, learnedSchema),
  },
  trust: {
    compute: call(trustInputSchema, jobSchema),
    /** The newest of each checkpoint, view, split and explainer. */
    list: call(z.object({ datasetId: z.string() }), z.array(trustResultSchema)),
  },
  compare: {
    /** Two to four checkpoints, all pairs of them. The first is the reference. */
    get: call(comparedSchema, comparisonSchema),
    /** Settings and samples of the runs that two checkpoints are from. */
    runs: call(z.object({ a: z.string(), b: z.string() }), runDifferenceSchema),
    /** Results of `amc evaluate` that lie in the project. */
    resultFiles: call(none, z.array(resultFileSchema)),
    results: call(comparedResultsSchema, comparisonSchema),
    /** One HTML file that needs nothing else, with so many pictures of what was fixed and of what was broken for each pair. */
    report: call(z.object({ of: reportOfSchema, interval: z.enum(['BCa', 'percentile']), pictures: z.number().int().min(0).max(24) }), z.object({ html: z.string() })),
    /** The rows behind the numbers. */
    csv: call(z.object({ of: reportOfSchema }), z.object({ csv: z.string() })),
  },
  jobs: {
    list: call(none, z.array(jobSchema)),
    cancel: call(byId, jobSchema),
  },
  machine: {
    now: call(none, z.object({
      cpuShare: z.number(), cores: z.number().int(), memoryUsedBytes: z.number(), memoryTotalBytes: z.number(), engineBytes: z.number(), computeBytes: z.number(),
      gpu: z.object({ name: z.string(), share: z.number(), memoryUsedBytes: z.number(), memoryTotalBytes: z.number() }).nullable(),
    })),
  },
}
export type Contract = typeof contract
