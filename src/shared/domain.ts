/** The nouns of the product as plain data, with their schemas. Everything that crosses a process border is described here. */
import { z } from 'zod'

export const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()]).readonly()
/** One list a box: [x1, y1, x2, y2, ...] of a polygon, or [] where the box is the shape. No list at all when no box has one (shape.ts). */
export const outlinesSchema = z.array(z.array(z.number()).readonly()).readonly()
export const regionStatusSchema = z.enum(['unreviewed', 'accepted', 'rejected', 'skipped'])
export type RegionStatus = z.infer<typeof regionStatusSchema>
export const splitSchema = z.string().min(1)

/** What a person may change about a region. Value-based diffs are made of these fields. */
export const regionFieldsSchema = z.object({
  phrase: z.string(),
  boxes: z.array(boxSchema).readonly(),
  /** Absent where it was written before there were outlines. */
  outlines: outlinesSchema.default([]),
  status: regionStatusSchema,
  tags: z.array(z.string()).readonly(),
  note: z.string(),
  /** A deleted region stays in the database, so that undo and history can bring it back. */
  deleted: z.boolean(),
})
export type RegionFields = z.infer<typeof regionFieldsSchema>

/** A decision: whose, and when (ISO time). */
export const reviewSchema = z.object({ by: z.string(), at: z.string() }).readonly()
/** What a second person decided, kept beside the first decision, and how far their boxes and phrase agree with the first person's. */
export const secondReviewSchema = z.object({ status: regionStatusSchema, by: z.string(), at: z.string(), iou: z.number(), samePhrase: z.boolean() }).readonly()
export type SecondReview = z.infer<typeof secondReviewSchema>

/** What work with a region leaves on it, beside its fields. Value-based diffs are made of these too. */
export const regionMarksSchema = z.object({
  split: splitSchema,
  /** Who is to do it; null for nobody in particular. */
  assignee: z.string().nullable(),
  /** Null until it is accepted or rejected. */
  review: reviewSchema.nullable(),
  second: secondReviewSchema.nullable(),
  /** Place in the stack of the image's phrases: a higher one is drawn over a lower one. Absent, as 0, where nobody has moved it. */
  z: z.number().int().optional(),
})
export type RegionMarks = z.infer<typeof regionMarksSchema>
/** Marks are absent in what was written before they were kept. */
export type RegionState = RegionFields & Partial<RegionMarks>

export const regionSchema = regionFieldsSchema.extend(regionMarksSchema.shape).extend({
  id: z.string(),
  imageId: z.string(),
  datasetId: z.string(),
  /** Counts the edits of this region from 1; an edit made against an older one is a conflict. */
  revision: z.number().int(),
  /** What the import noticed and kept as it was: crosses-edge, outside-image, no-area, inverted. */
  flags: z.array(z.string()).readonly(),
})
export type Region = z.infer<typeof regionSchema>

export const imageSchema = z.object({
  id: z.string(),
  datasetId: z.string(),
  name: z.string(),
  /** As seen, after EXIF orientation. */
  width: z.number().int(),
  height: z.number().int(),
  split: splitSchema,
})
export type ImageRecord = z.infer<typeof imageSchema>

export const datasetSchema = z.object({
  id: z.string(),
  name: z.string(),
  format: z.string(),
  createdAt: z.string(),
  images: z.number().int(),
  regions: z.number().int(),
  reviewed: z.number().int(),
  splits: z.record(z.string(), z.number().int()),
  /** Mean inside energy of the newest scored checkpoint; null before anything was scored. */
  meanConsistency: z.number().nullable(),
  previewImageIds: z.array(z.string()),
  skipped: z.number().int(),
  /** Made of the demo's drawn scenes. */
  demo: z.boolean().optional(),
  /** Its source is looked at now and then. */
  watched: z.boolean().optional(),
  /** Regions that were changed both here and in the source, as of the last time it was read; they wait for a decision. */
  conflicts: z.number().int().optional(),
})
export type Dataset = z.infer<typeof datasetSchema>

export const scoresSchema = z.object({
  pointingHit: z.boolean(),
  insideEnergy: z.number(),
  meanMargin: z.number(),
  maxMargin: z.number(),
  amcMean: z.number(),
  amcMax: z.number(),
  softIou: z.number(),
  uncertain: z.boolean(),
  matchProbability: z.number(),
})
export type Scores = z.infer<typeof scoresSchema>

/** Who changed what: one row of a region's history. */
export const revisionSchema = z.object({
  revision: z.number().int().min(1),
  at: z.string(),
  actor: z.string(),
  label: z.string(),
  fields: regionFieldsSchema.extend(regionMarksSchema.partial().shape),
})
export type Revision = z.infer<typeof revisionSchema>

export const checkpointSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** 'run' from a run of this project, 'imported' from a file, 'shipped' with the program. */
  origin: z.enum(['run', 'imported', 'shipped']),
  runId: z.string().nullable(),
  step: z.number().int().nullable(),
  modelName: z.string(),
  parameters: z.number().int(),
  sizeBytes: z.number(),
  createdAt: z.string(),
  /** Free-form figures known for it, by metric name with the protocol in the name, e.g. "pointing game, AMC strict, demo val". */
  metrics: z.record(z.string(), z.number()),
  best: z.boolean(),
})
export type Checkpoint = z.infer<typeof checkpointSchema>

export const heatmapSchema = z.object({
  checkpointId: z.string(),
  imageId: z.string(),
  phrase: z.string(),
  grid: z.object({ width: z.number().int(), height: z.number().int(), values: z.array(z.number()) }),
  /** First maximum after bicubic upsampling to the image's size, in image pixels (AMC strict). */
  peak: z.object({ x: z.number(), y: z.number() }),
  matchProbability: z.number(),
  layer: z.number().int(),
  maskSize: z.number().int(),
  tokens: z.array(z.string()),
  truncated: z.boolean(),
  /** Time the model took, or 0 when it came from the store. */
  computeMs: z.number(),
  stored: z.boolean(),
})
export type Heatmap = z.infer<typeof heatmapSchema>

export const jobSchema = z.object({
  id: z.string(),
  kind: z.enum(['import', 'score', 'trust', 'train', 'trial', 'demo', 'export', 'archive']),
  title: z.string(),
  state: z.enum(['waiting', 'running', 'done', 'failed', 'cancelled']),
  done: z.number(),
  total: z.number(),
  unit: z.string(),
  secondsLeft: z.number().nullable(),
  message: z.string(),
  error: z.object({ code: z.string(), message: z.string(), cure: z.string() }).nullable(),
  result: z.unknown(),
  /** What it works on, as far as it has such a thing. */
  about: z.object({ datasetId: z.string().optional(), checkpointId: z.string().optional(), runId: z.string().optional() }).optional(),
  /** ISO time of the last change, so that a list of what happened can say when. */
  updatedAt: z.string(),
})
export type Job = z.infer<typeof jobSchema>

export const runStateSchema = z.enum(['waiting', 'starting', 'training', 'pausing', 'paused', 'stopping', 'stopped', 'finished', 'failed'])
export const runSchema = z.object({
  id: z.string(),
  number: z.number().int(),
  name: z.string(),
  preset: z.string(),
  datasetId: z.string(),
  /** The saved view it was started on; null for the whole dataset. It may have been removed since. */
  viewId: z.string().nullable(),
  startCheckpointId: z.string().nullable(),
  state: runStateSchema,
  step: z.number().int(),
  totalSteps: z.number().int(),
  epoch: z.number(),
  elapsedSeconds: z.number(),
  secondsLeft: z.number().nullable(),
  samplesPerSecond: z.number().nullable(),
  dataWaitShare: z.number().nullable(),
  createdAt: z.string(),
  error: z.object({ code: z.string(), message: z.string(), cure: z.string() }).nullable(),
  /** Resolved settings, flat, as frozen in the run's folder. */
  config: z.record(z.string(), z.unknown()),
  lastSavedStep: z.number().int().nullable(),
  /** Rises along the queue; null for a run that has no place in it. A paused run keeps its place, a stopped one gives it up. */
  queuePlace: z.number().int().nullable(),
  note: z.string(),
  tags: z.array(z.string()),
})
export type Run = z.infer<typeof runSchema>

/** One line of metrics.jsonl: step and named values (loss.total, loss.itc, loss.itm, loss.mlm, loss.amcMean, loss.amcMax, lr, gradNorm, temperature, val.pointingGame, val.consistency, ...). */
export const metricRowSchema = z.object({
  step: z.number().int(),
  seconds: z.number(),
  /** Share of the step's time that it waited for its images; a time, so another one in each repetition. */
  wait: z.number().optional(),
  values: z.record(z.string(), z.number()),
})
export type MetricRow = z.infer<typeof metricRowSchema>

export const regionFilterSchema = z.object({
  datasetId: z.string(),
  splits: z.array(z.string()).optional(),
  statuses: z.array(regionStatusSchema).optional(),
  text: z.string().optional(),
  tags: z.array(z.string()).optional(),
  /** The checkpoint that scores refer to. Needed by the score filters and sorts. */
  checkpointId: z.string().optional(),
  consistencyMin: z.number().optional(),
  consistencyMax: z.number().optional(),
  hit: z.boolean().optional(),
  imageId: z.string().optional(),
  flagged: z.boolean().optional(),
  /** The checkpoint that a disagreement is measured against. */
  otherCheckpointId: z.string().optional(),
  matchMin: z.number().optional(),
  matchMax: z.number().optional(),
  /** Share of the image under the boxes, at least and less than. */
  areaMin: z.number().optional(),
  areaMax: z.number().optional(),
  hasNote: z.boolean().optional(),
  /** Whose decision stands. */
  reviewers: z.array(z.string()).optional(),
  /** Who is to do it; '' for nobody. */
  assignees: z.array(z.string()).optional(),
  /** Second review: not done, done, or done with another outcome than the first. */
  second: z.enum(['open', 'done', 'differs']).optional(),
  /** A list: only these, as long as they are there. */
  regionIds: z.array(z.string()).optional(),
})
export type RegionFilter = z.infer<typeof regionFilterSchema>

export const regionSortSchema = z.enum([
  'file-order', 'consistency', 'suspect', 'match', 'phrase', 'random', 'area', 'disagreement', 'max-margin', 'mean-margin', 'amc-mean', 'amc-max', 'soft-iou',
])
export type RegionSort = z.infer<typeof regionSortSchema>

export const queueRowSchema = z.object({
  id: z.string(),
  imageId: z.string(),
  phrase: z.string(),
  status: regionStatusSchema,
  split: z.string(),
  boxes: z.number().int(),
  consistency: z.number().nullable(),
  hit: z.boolean().nullable(),
})
export type QueueRow = z.infer<typeof queueRowSchema>

export const viewSchema = z.object({
  id: z.string(),
  name: z.string(),
  filter: regionFilterSchema,
  sort: regionSortSchema,
  descending: z.boolean(),
  count: z.number().int(),
})
export type View = z.infer<typeof viewSchema>
