/** COCO and LVIS, written: one file a split, captions apart from instances. */
import { basename } from 'node:path'
import { splitOfName } from './amc-json.ts'
import { attributesOf, piecesOf } from './attributes.ts'
import { jsonList, type Output, type Part } from './output.ts'
import type { Dialect } from './coco.ts'
import { type Box } from '../../shared/geometry.ts'
import type { Outline } from '../../shared/shape.ts'
import type { ExportImage, ExportRegion, FormatWriter } from './types.ts'

/** Ids of what is new begin here when there are ids from before, which may be any. */
const NEW_IDS = 1_000_000_000
const KNOWN = ['id', 'image_id', 'category_id', 'bbox', 'area', 'segmentation', 'iscrowd', 'attributes', 'caption', 'annotations', 'file_name', 'width', 'height', 'license', 'coco_url', 'flickr_url', 'date_captured']

type Category = Record<string, unknown> & { readonly id: number; readonly name: string }
interface Section {
  readonly images: Part
  readonly annotations: Part
  readonly imageList: ReturnType<typeof jsonList>
  readonly annotationList: ReturnType<typeof jsonList>
}

const folderOf = (split: string): string => split.replace(/[^\w-]/g, '_')

export function cocoWriter(dialect: Dialect): FormatWriter {
  return {
    file: null, names: 'paths', needsImages: false,
    imagePath: ({ name, split }) => `images/${folderOf(split)}/${name}`,
    holds: {
      boxes: 'many', fields: ['outlines', 'status', 'tags', 'note', 'split', 'emptyImages', 'duplicates', ...(dialect.lvis ? [] : ['boxless' as const])],
      split: (split) => folderOf(split) === split && splitOfName(`instances_${split}.json`) === split, known: KNOWN,
    },
    begin: async (out, head) => {
      const before = (head.raw ?? {}) as { categories?: readonly Category[] }
      const { categories: old = [], ...rest } = before
      const categories = new Map(old.map((one) => [one.name, one]))
      const list: Category[] = [...old]
      const sections = new Map<string, Section>()
      const imageIds = new Set<number>()
      const counts = { image: head.raw ? NEW_IDS : 0, annotation: head.raw ? NEW_IDS : 0 }
      let nextCategory = old.reduce((most, { id }) => (Number.isInteger(id) ? Math.max(most, id) : most), 0) + 1
      let group = 0
      const categoryOf = (phrase: string): Category => {
        const known = categories.get(phrase)
        if (known) return known
        const made: Category = { id: nextCategory++, name: phrase, ...(dialect.lvis ? { synset: phrase, synonyms: [phrase], def: '', frequency: 'f', image_count: 0, instance_count: 0 } : { supercategory: '' }) }
        categories.set(phrase, made)
        list.push(made)
        return made
      }
      return {
        add: async ({ image, regions }) => {
          const raw = (image.raw ?? {}) as Record<string, unknown>
          const kept = typeof raw['id'] === 'number' && !imageIds.has(raw['id']) ? raw['id'] : ++counts.image
          imageIds.add(kept)
          const record = imageRecord(image, raw, kept, dialect)
          const instances = regions.filter((region) => region.boxes.length > 0)
          const captions = regions.filter((region) => region.boxes.length === 0)
          const split = folderOf(image.split)
          if (instances.length > 0 || captions.length === 0) {
            const section = await sectionOf(out, sections, `${dialect.name === 'lvis' ? 'lvis' : 'instances'}_${split}`)
            await section.imageList.add(record)
            for (const region of instances) {
              const asRead = region.untouched ? (region.raw as { annotations?: readonly Record<string, unknown>[] } | undefined)?.annotations : undefined
              const several = piecesOf(region).some(({ outline }) => outline.length === 0) && region.boxes.length > 1
              if (several) group++
              const made = asRead?.map((one) => ({ ...one, image_id: kept })) ?? annotationsOf(region, several ? group : undefined).map((one) => ({ id: ++counts.annotation, image_id: kept, category_id: categoryOf(region.phrase).id, ...one }))
              for (const one of made) await section.annotationList.add(one)
            }
          }
          if (captions.length > 0) {
            const section = await sectionOf(out, sections, `captions_${split}`)
            await section.imageList.add(record)
            for (const region of captions) {
              const attributes = attributesOf(region)
              await section.annotationList.add({ id: ++counts.annotation, image_id: kept, caption: region.phrase, ...(Object.keys(attributes).length > 0 ? { attributes } : {}) })
            }
          }
        },
        finish: async () => {
          for (const [name, section] of sections) {
            const file = await out.create(`annotations/${basename(name)}.json`)
            await file.write(`{"info": ${JSON.stringify(rest['info' as never] ?? { description: head.name, date_created: head.at })},\n"licenses": ${JSON.stringify(rest['licenses' as never] ?? [])},\n"categories": ${JSON.stringify(name.startsWith('captions_') ? [] : list)},\n"images": `)
            await section.imageList.end()
            await section.images.pipe(file)
            await file.write(',\n"annotations": ')
            await section.annotationList.end()
            await section.annotations.pipe(file)
            await file.write('}\n')
            await file.close()
          }
        },
      }
    },
  }
}

async function sectionOf(out: Output, sections: Map<string, Section>, name: string): Promise<Section> {
  const known = sections.get(name)
  if (known) return known
  const images = await out.part()
  const annotations = await out.part()
  const section = { images, annotations, imageList: jsonList(images), annotationList: jsonList(annotations) }
  sections.set(name, section)
  return section
}

function imageRecord(image: ExportImage, raw: Record<string, unknown>, id: number, dialect: Dialect): Record<string, unknown> {
  const own = { ...raw, id, file_name: image.name, width: image.width, height: image.height }
  return dialect.lvis ? { coco_url: `images/${folderOf(image.split)}/${image.name}`, neg_category_ids: [], not_exhaustive_category_ids: [], ...own } : own
}

/** Outlines of a region are the polygons of one annotation; boxes without outlines are an annotation each. */
function annotationsOf(region: ExportRegion, group: number | undefined): Record<string, unknown>[] {
  const attributes = attributesOf(region, group)
  const more = Object.keys(attributes).length > 0 ? { attributes } : {}
  const pieces = piecesOf(region)
  if (group === undefined && pieces[0]!.outline.length > 0) {
    const all = pieces.map(({ box }) => box)
    const bounds: Box = [Math.min(...all.map((b) => b[0])), Math.min(...all.map((b) => b[1])), Math.max(...all.map((b) => b[2])), Math.max(...all.map((b) => b[3]))]
    return [{ bbox: xywh(bounds), area: pieces.reduce((sum, { outline }) => sum + areaOf(outline), 0), segmentation: pieces.map(({ outline }) => outline), iscrowd: 0, ...more }]
  }
  return pieces.map(({ box, outline }) => {
    const [x, y, w, h] = xywh(box)
    return { bbox: [x, y, w, h], area: outline.length > 0 ? areaOf(outline) : w * h, segmentation: outline.length > 0 ? [outline] : [], iscrowd: 0, ...more }
  })
}

function xywh([x1, y1, x2, y2]: Box): [number, number, number, number] {
  return [x1, y1, x2 - x1, y2 - y1]
}

/** Of a simple polygon, by the shoelace formula. */
function areaOf(outline: Outline): number {
  let twice = 0
  for (let i = 0; i < outline.length; i += 2) {
    const j = (i + 2) % outline.length
    twice += outline[i]! * outline[j + 1]! - outline[j]! * outline[i + 1]!
  }
  return Math.abs(twice) / 2
}
