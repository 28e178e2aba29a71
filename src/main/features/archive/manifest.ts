/** The first thing an archive is asked for. */
import { z } from 'zod'

export const MANIFEST = 'manifest.json'
export const ARCHIVE_VERSION = 1
export const manifestSchema = z.object({
  format: z.literal('amc-archive'),
  version: z.number().int(),
  project: z.string(),
  program: z.string(),
  createdAt: z.string(),
  files: z.array(z.object({ path: z.string(), bytes: z.number().int().min(0), sha256: z.string() })),
})
export type Manifest = z.infer<typeof manifestSchema>
