/** Edits of many regions: which, and what is done to them. */
import { z } from 'zod'
import { regionFilterSchema, regionStatusSchema } from '../domain.ts'

export const selectionSchema = z.union([
  z.object({ ids: z.array(z.string()).min(1).max(100_000) }),
  /** All that match now. */
  z.object({ filter: regionFilterSchema }),
  /** Places of an open queue, from and to, both included. */
  z.object({ snapshot: z.object({ owner: z.string(), number: z.number().int() }), ranges: z.array(z.tuple([z.number().int().min(0), z.number().int().min(0)])).min(1).max(100_000) }),
])
export type Selection = z.infer<typeof selectionSchema>

export const bulkActionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('status'), status: regionStatusSchema }),
  z.object({ kind: z.literal('tag'), tag: z.string() }),
  z.object({ kind: z.literal('untag'), tag: z.string() }),
  z.object({ kind: z.literal('split'), split: z.string() }),
  z.object({ kind: z.literal('assign'), to: z.string().nullable() }),
  z.object({ kind: z.literal('replace'), find: z.string().max(1000), replacement: z.string().max(1000), regex: z.boolean(), matchCase: z.boolean() }),
  z.object({ kind: z.literal('delete') }),
  /** A decision beside that of another person; null takes it back. */
  z.object({ kind: z.literal('second'), status: regionStatusSchema.nullable() }),
])
export type BulkAction = z.infer<typeof bulkActionSchema>

export const bulkPreviewSchema = z.object({
  selected: z.number().int(),
  changed: z.number().int(),
  /** When this was looked at; given back, what others changed since is a conflict. */
  since: z.string(),
  /** Of a replacement of text: a page of what changes. */
  changes: z.array(z.object({ regionId: z.string(), before: z.string(), after: z.string() })),
})
