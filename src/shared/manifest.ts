/** Frozen samples as JSON lines: what a run trains on and what a scoring job scores, independent of the database. */
import { z } from 'zod'
import { boxSchema, outlinesSchema } from './domain.ts'

export const manifestSampleSchema = z.object({
  regionId: z.string(),
  revision: z.number().int(),
  imageId: z.string(),
  /** Path of the image file: absolute, or relative to the folder of the manifest. */
  imagePath: z.string(),
  /** Of the image as seen, px. */
  width: z.number().positive(),
  height: z.number().positive(),
  phrase: z.string(),
  boxes: z.array(boxSchema).readonly(),
  /** Where a box has an outline; one entry a box then. */
  outlines: outlinesSchema.optional(),
  split: z.string(),
  /** Optional knowledge for true negatives: concepts present on the image, and those the phrase names. */
  imageConcepts: z.array(z.string()).readonly().optional(),
  phraseConcepts: z.array(z.string()).readonly().optional(),
  /** Phrases written about the image that are no samples here, because a view left them out: they are true of it all the same. */
  imagePhrases: z.array(z.string()).readonly().optional(),
  /** 'close-up' or 'scene' where the dataset tells; the curriculum uses it. */
  kind: z.string().optional(),
  /** Numbers, from 0, of the stages of curriculum.views that show this region. */
  stages: z.array(z.int().nonnegative()).readonly().optional(),
})
/** One region to score or to train on. */
export type ManifestSample = z.infer<typeof manifestSampleSchema>
