/** What a comparison of two to four checkpoints says. Changes are the second minus the first; intervals hold 95 %. */
import { z } from 'zod'

export const MOST_COMPARED = 4
export const MEASURES = ['pointingGame', 'consistency', 'uncertain', 'matchProbability'] as const
export type Measure = (typeof MEASURES)[number]

/** What is compared on: a dataset or a saved view of it, all of it or one split. */
export const populationSchema = z.object({ datasetId: z.string(), viewId: z.string().optional(), split: z.string().optional() })
export type Population = z.infer<typeof populationSchema>

const draws = z.number().int().min(100).max(100_000).optional()
const seed = z.number().int().optional()
/** Two to four checkpoints on a population. The first is the reference. */
export const comparedSchema = z.object({ population: populationSchema, checkpointIds: z.array(z.string()).min(2).max(MOST_COMPARED), draws, seed })
/** Two to four result files of the project. */
export const comparedResultsSchema = z.object({ names: z.array(z.string()).min(2).max(MOST_COMPARED), split: z.string().optional(), draws, seed })
/** What a report is of. */
export const reportOfSchema = z.union([comparedSchema, comparedResultsSchema])

/** From a bootstrap over images. low and high are by `method`: BCa, or by percentiles where BCa is not defined. */
export const intervalSchema = z.object({ low: z.number(), high: z.number(), percentileLow: z.number(), percentileHigh: z.number(), method: z.enum(['BCa', 'percentile']) })
export type CompareInterval = z.infer<typeof intervalSchema>

/** Of how many regions: those for which every one of the checkpoints has this measure. */
const meanSchema = z.object({ value: z.number(), regions: z.number().int(), interval: intervalSchema.nullable() })
const changeSchema = z.object({ a: z.number(), b: z.number(), change: z.number(), regions: z.number().int(), interval: intervalSchema.nullable() })
const perMeasure = <T extends z.ZodType>(each: T) => z.object({ pointingGame: each, consistency: each.nullable(), uncertain: each.nullable(), matchProbability: each.nullable() })

/** A p-value as it is, and adjusted for all tests of its family. */
const testSchema = z.object({ p: z.number(), holm: z.number(), bh: z.number() })
const matrixSchema = z.object({ both: z.number().int(), broken: z.number().int(), fixed: z.number().int(), neither: z.number().int() })

export const compareSliceSchema = z.object({
  group: z.string(), name: z.string(), regions: z.number().int(), images: z.number().int(), change: z.number(), matrix: matrixSchema,
  /** Null where there are too few images for one. */
  interval: intervalSchema.nullable(), test: testSchema,
})
export type CompareSlice = z.infer<typeof compareSliceSchema>

export const comparePairSchema = z.object({
  /** Places in `checkpoints`. */
  a: z.number().int(), b: z.number().int(),
  headline: perMeasure(changeSchema), matrix: matrixSchema,
  /** Exact McNemar. */
  test: testSchema, slices: z.array(compareSliceSchema),
})
export type ComparePair = z.infer<typeof comparePairSchema>

/** Null where a benchmark has no such value for a sample. */
export const compareScoresSchema = z.object({
  pointingHit: z.boolean(), insideEnergy: z.number().nullable(), maxMargin: z.number().nullable(), uncertain: z.boolean().nullable(), matchProbability: z.number().nullable(),
})
export type CompareScores = z.infer<typeof compareScoresSchema>

export const compareRowSchema = z.object({
  regionId: z.string(), imageId: z.string(), phrase: z.string(), split: z.string(),
  /** Null where it is not known, as for a benchmark. */
  boxAreaShare: z.number().nullable(), boxes: z.number().int().nullable(), tags: z.array(z.string()), concepts: z.array(z.string()),
  /** One a checkpoint, in their order. */
  scores: z.array(compareScoresSchema),
})
export type CompareRow = z.infer<typeof compareRowSchema>

export const comparisonSchema = z.object({
  protocol: z.string(),
  /** In words: dataset, view and split, or benchmark. */
  title: z.string(),
  /** Where the rows come from: 'project' rows have images and heat, 'results' rows are of result files. */
  source: z.enum(['project', 'results']),
  /** What was asked for in all: regions + missing + withoutAnswer. Nothing is dropped silently. */
  total: z.number().int(),
  /** Regions that cannot be scored: no phrase or no box. */
  withoutAnswer: z.number().int(),
  /** Regions that lack the score of at least one checkpoint. */
  missing: z.number().int(),
  /** With the scores of all: what every number is about. */
  regions: z.number().int(),
  images: z.number().int(),
  checkpoints: z.array(z.object({ id: z.string(), name: z.string(), missing: z.number().int(), means: perMeasure(meanSchema).nullable() })),
  method: z.object({ draws: z.number().int(), seed: z.number().int(), level: z.number(), pairTests: z.number().int(), sliceTests: z.number().int(), fewestImages: z.number().int() }),
  pairs: z.array(comparePairSchema),
  rows: z.array(compareRowSchema),
  /** What a reader must know about these numbers, in sentences. */
  notes: z.array(z.string()),
})
export type Comparison = z.infer<typeof comparisonSchema>

/** A result of `amc evaluate` in the project's folder of evaluations. Those of one group may be compared. */
export const resultFileSchema = z.object({ name: z.string(), checkpoint: z.string(), title: z.string(), protocol: z.string(), group: z.string(), samples: z.number().int(), finishedAt: z.string() })
export type ResultFile = z.infer<typeof resultFileSchema>

/** How two checkpoints came to differ, from the frozen folders of their runs. */
export const runDifferenceSchema = z.object({
  /** Null: the checkpoint is not from a run of this project, or its folder is gone. */
  a: z.object({ runId: z.string(), name: z.string(), step: z.number().int().nullable(), regions: z.number().int(), startCheckpoint: z.string().nullable() }).nullable(),
  b: z.object({ runId: z.string(), name: z.string(), step: z.number().int().nullable(), regions: z.number().int(), startCheckpoint: z.string().nullable() }).nullable(),
  config: z.array(z.object({ key: z.string(), label: z.string(), a: z.string().nullable(), b: z.string().nullable() })),
  /** Null unless both runs have their frozen samples. */
  data: z.object({
    same: z.number().int(), revised: z.number().int(), onlyA: z.number().int(), onlyB: z.number().int(),
    /** The first of them: revised, then only in B, then only in A. */
    regions: z.array(z.object({
      regionId: z.string(), imageId: z.string(), kind: z.enum(['revised', 'only-a', 'only-b']), split: z.string(), phraseA: z.string().nullable(), phraseB: z.string().nullable(),
      revisionA: z.number().int().nullable(), revisionB: z.number().int().nullable(), what: z.array(z.enum(['phrase', 'boxes', 'outlines', 'split'])),
    })),
    listed: z.number().int(),
  }).nullable(),
})
export type RunDifference = z.infer<typeof runDifferenceSchema>
