/** What a format cannot hold of a dataset, counted before anything is written, so that a person can decide. */
import { type Shape, shapeOf } from '../../shared/shape.ts'
import type { ExportImage, ExportRegion, ExportSample, Holds } from './types.ts'

export interface Loss {
  readonly field: string
  /** What becomes of it. */
  readonly what: string
  readonly count: number
  readonly unit: 'regions' | 'images' | 'boxes'
}

const WORDS: Readonly<Record<string, readonly [what: string, unit: Loss['unit']]>> = {
  phrase: ['Phrases that cannot be written; these regions are left out', 'regions'],
  box: ['Boxes that cannot be written; they are left out', 'boxes'],
  boxless: ['Regions without a box are left out', 'regions'],
  rounded: ['Coordinates are written as whole pixels', 'regions'],
  grouping: ['Several boxes of one phrase become a region each', 'regions'],
  merging: ['Regions with the same phrase on one image become one', 'regions'],
  duplicates: ['The same phrase and boxes twice on one image count once', 'regions'],
  outlines: ['Outlines; their boxes are written', 'regions'],
  status: ['Review status', 'regions'],
  tags: ['Tags', 'regions'],
  note: ['Notes', 'regions'],
  marks: ['Who reviewed it or is to, a split other than its image’s, and a place in the stack', 'regions'],
  flags: ['Flags of the import', 'regions'],
  concepts: ['What the phrase names (concepts)', 'regions'],
  history: ['Earlier revisions', 'regions'],
  split: ['Their split is not one of this format', 'images'],
  kind: ['Kind of the image', 'images'],
  imageConcepts: ['What is visible on the image (concepts)', 'images'],
  emptyImages: ['Images without a region are left out', 'images'],
}

/** Boxes and outlines that the region keeps; null when it cannot be written at all. */
export function keptShape(region: ExportRegion, image: ExportImage, holds: Holds): Shape | null {
  if (holds.phrase && !holds.phrase(region.phrase)) return null
  const kept = region.boxes.map((box) => holds.box?.(box, image) ?? true)
  if (!kept.includes(true) && !(holds.fields.includes('boxless') && region.boxes.length === 0)) return null
  const outlines = holds.fields.includes('outlines') ? region.outlines : []
  return kept.includes(false) ? shapeOf(region.boxes.filter((_, i) => kept[i]), outlines.filter((_, i) => kept[i])) : { boxes: region.boxes, outlines }
}

/** Adds up over samples. `foreign`: fields of the source's own records that this format does not know, given when it is another format. */
export function lossCounter(holds: Holds, foreign: { readonly format: string; readonly known: readonly string[] } | null): { add: (sample: ExportSample) => void; losses: () => Loss[] } {
  const counts = new Map<string, number>()
  const add = (field: string, n = 1): void => void counts.set(field, (counts.get(field) ?? 0) + n)
  const held = new Set<string>(holds.fields)
  const strange = new Map<string, number>()
  const known = new Set(foreign?.known)
  const lookAt = (record: unknown): void => {
    if (!foreign || typeof record !== 'object' || record === null) return
    for (const key of Object.keys((record as { entry?: object }).entry ?? record)) if (!known.has(key)) strange.set(key, (strange.get(key) ?? 0) + 1)
  }
  return {
    add: ({ image, regions }) => {
      if (held.has('split') ? holds.split && !holds.split(image.split) : image.split !== 'train') add('split')
      if (image.kind !== null && !held.has('kind')) add('kind')
      if (image.concepts !== null && !held.has('imageConcepts')) add('imageConcepts')
      lookAt(image.raw)
      const seen = new Set<string>()
      const phrases = new Set<string>()
      let written = 0
      for (const region of regions) {
        const boxes = keptShape(region, image, holds)?.boxes ?? null
        if (boxes === null) add(holds.phrase && !holds.phrase(region.phrase) ? 'phrase' : region.boxes.length === 0 ? 'boxless' : 'box', region.boxes.length > 0 && !(holds.phrase && !holds.phrase(region.phrase)) ? region.boxes.length : 1)
        if (boxes === null) continue
        written++
        if (boxes.length < region.boxes.length) add('box', region.boxes.length - boxes.length)
        if (holds.rounds && boxes.some(holds.rounds)) add('rounded')
        if (holds.boxes === 'one' && boxes.length > 1) add('grouping')
        if (holds.boxes === 'phrase' && phrases.has(region.phrase)) add('merging')
        phrases.add(region.phrase)
        const key = JSON.stringify([region.phrase, boxes])
        if (seen.has(key) && !held.has('duplicates') && holds.boxes !== 'phrase') add('duplicates')
        seen.add(key)
        if (region.outlines.length > 0 && !held.has('outlines')) add('outlines')
        if (region.status !== 'unreviewed' && !held.has('status')) add('status')
        if (region.tags.length > 0 && !held.has('tags')) add('tags')
        if (region.note !== '' && !held.has('note')) add('note')
        if (region.marks && !held.has('marks')) add('marks')
        if (region.flags.length > 0 && !held.has('flags') && region.flags.some((flag) => flag !== 'crosses-edge' && flag !== 'outside-image')) add('flags')
        if (region.concepts !== null && !held.has('concepts')) add('concepts')
        if (region.history && !held.has('history')) add('history')
        lookAt(region.raw)
      }
      if (written === 0 && !held.has('emptyImages')) add('emptyImages')
    },
    losses: () => [
      ...Object.entries(WORDS).flatMap(([field, [what, unit]]) => (counts.has(field) ? [{ field, what, unit, count: counts.get(field)! }] : [])),
      ...[...strange].sort((a, b) => b[1] - a[1]).map(([field, count]) => ({ field, what: `A field of ${foreign?.format ?? ''} without a place here`, count, unit: 'regions' as const })),
    ],
  }
}
