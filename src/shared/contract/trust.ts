/** How far an explanation can be trusted: what is asked, what is answered, and what each figure says. */
import { z } from 'zod'
import { t } from '../messages/messages.ts'
import { explainerChoiceSchema, explainerNameSchema, TARGETS } from '../explainers.ts'

export const trustInputSchema = z.object({
  datasetId: z.string(), checkpointId: z.string(), viewId: z.string().optional(), split: z.string().optional(),
  /** Regions drawn by a fixed seed, so that two checkpoints are tested on the same ones. */
  samples: z.int().min(1).max(10_000).optional(),
  explainer: explainerChoiceSchema.optional(),
})
export type TrustInput = z.infer<typeof trustInputSchema>

const curve = z.object({ area: z.number(), curve: z.array(z.number()) })
export const trustResultSchema = z.object({
  checkpointId: z.string(), datasetId: z.string(), viewId: z.string().nullable(), split: z.string().nullable(),
  explainer: z.object({ name: explainerNameSchema, target: z.enum(TARGETS), layer: z.int() }), protocol: z.string(), measuredAt: z.string(),
  samples: z.int(), of: z.int(), seed: z.int(),
  deletion: curve, insertion: curve,
  randomisation: z.array(z.object({ stage: z.string(), correlation: z.number() })),
  shifts: z.object({ pixels: z.number(), correlation: z.number() }),
  skipped: z.array(z.object({ regionId: z.string(), reason: z.string() })),
})
export type TrustResult = z.infer<typeof trustResultSchema>

interface TrustFigure {
  readonly key: 'deletion' | 'insertion' | 'randomisation' | 'shifts'
  readonly title: string
  readonly better: 'higher' | 'lower'
  readonly says: string
  readonly of: (result: Pick<TrustResult, 'deletion' | 'insertion' | 'randomisation' | 'shifts'>) => number
}

export const TRUST_FIGURES: readonly TrustFigure[] = [
  { key: 'deletion', title: t('Deletion'), better: 'lower', says: t('Match probability while the hottest patches are greyed out, area under the curve: low when the match rests on what is hot.'), of: ({ deletion }) => deletion.area },
  { key: 'insertion', title: t('Insertion'), better: 'higher', says: t('Match probability while the hottest patches come back into a blurred image, area under the curve: high when they are enough.'), of: ({ insertion }) => insertion.area },
  { key: 'randomisation', title: t('Random weights'), better: 'lower', says: t('Likeness of the heat to that of the same model with all weights random: near 0 when the heat shows what was learned, not just the image.'), of: ({ randomisation }) => randomisation.at(-1)!.correlation },
  { key: 'shifts', title: t('Small shifts'), better: 'higher', says: t('Likeness of the heat after the image moved by half a patch to the heat moved along: near 1 when it follows the thing.'), of: ({ shifts }) => shifts.correlation },
]
