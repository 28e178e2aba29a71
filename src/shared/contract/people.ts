/** Who did what in a dataset. */
import { z } from 'zod'
import { regionStatusSchema } from '../domain.ts'

const named = z.array(z.object({ name: z.string(), count: z.number().int() }))
export const facetsSchema = z.object({ tags: named, splits: named, reviewers: named, assignees: named })
export type Facets = z.infer<typeof facetsSchema>

export const reviewProgressSchema = z.object({
  /** Day as 2026-01-31. */
  days: z.array(z.object({ by: z.string(), day: z.string(), accepted: z.number().int(), rejected: z.number().int(), second: z.number().int() })),
  assigned: z.array(z.object({ to: z.string(), total: z.number().int(), decided: z.number().int() })),
})
export type ReviewProgress = z.infer<typeof reviewProgressSchema>

export const reviewAgreementSchema = z.object({
  pairs: z.array(z.object({ first: z.string(), second: z.string(), regions: z.number().int(), sameStatus: z.number().int(), samePhrase: z.number().int(), meanIou: z.number() })),
  regions: z.array(z.object({
    regionId: z.string(), imageId: z.string(), phrase: z.string(), first: z.string(), firstStatus: regionStatusSchema, second: z.string(), secondStatus: regionStatusSchema, iou: z.number(), samePhrase: z.boolean(),
    disagreement: z.number(),
  })),
})
export type ReviewAgreement = z.infer<typeof reviewAgreementSchema>
