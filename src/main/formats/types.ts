/**
 * What an importer reads. A format turns its own files into raw entries; one common stage (read-dataset.ts) finds and opens
 * the images and checks the boxes, so that every format treats bad input the same way.
 */
import type { Box } from '../../shared/geometry.ts'
import type { Outline } from '../../shared/shape.ts'

/** Something that was left out, and why: a row of the import report. Lines count from 1; null where a line means nothing. */
export interface Skipped {
  readonly file: string
  readonly line: number | null
  readonly reason: string
}

export interface ReadRegion {
  readonly phrase: string
  /** Pixels of the image as seen (after EXIF orientation); exactly as written, never clamped. At least one. */
  readonly boxes: readonly Box[]
  /** As shape.ts says; absent when no box has one. */
  readonly outlines?: readonly Outline[]
  /** What is unusual and was kept: crosses-edge, outside-image; also inverted and no-area when such a box was left out of several. */
  readonly flags: readonly string[]
  /** What the phrase speaks of, where the file says so: lets training know true negatives. */
  readonly concepts?: readonly string[]
  /** Where it was read: "annotations.json:12". */
  readonly source: string
}

export interface ReadImage {
  /** As the file names it: what people recognise. */
  readonly name: string
  /** Absolute path; two entries with the same path are the same image. */
  readonly path: string
  /** As seen, after EXIF orientation. */
  readonly width: number
  readonly height: number
  /** EXIF orientation, 1-8. */
  readonly orientation: number
  readonly bytes: number
  readonly split: string
  readonly kind?: string
  /** What can be seen on the image, where the file says so. */
  readonly concepts?: readonly string[]
}

/**
 * A file may speak of one image in several places: the same image then comes again, with further regions. An image without any
 * region (a YOLO image without labels) comes with an empty list.
 */
export interface ReadSample {
  readonly image: ReadImage
  readonly regions: readonly ReadRegion[]
}
export type ReadItem = ReadSample | { readonly skipped: Skipped }

export interface ReadOptions {
  /** Where the images are, when not beside the annotations. */
  readonly imagesDir?: string
  /** A format's name, or 'auto'. */
  readonly format?: string
  readonly signal?: AbortSignal
}

/** One place of a file that speaks of one image, before the image was looked at. */
export interface RawEntry {
  /** Path as written, relative to one of the roots, or absolute. */
  readonly imageRef: string
  /** For the report: name of the annotation file, and the line where the entry begins. */
  readonly file: string
  readonly line: number | null
  readonly split: string
  readonly kind?: string
  readonly concepts?: readonly string[]
  readonly regions: readonly RawRegion[]
}
export interface RawRegion {
  readonly phrase: string
  readonly boxes: readonly Box[]
  /** One a box, [] for a box without, in the same unit. The bounds of an outline take the place of its box. */
  readonly outlines?: readonly Outline[]
  /** 'pixels', or 'fractions' of the image's width and height. */
  readonly unit: 'pixels' | 'fractions'
  readonly concepts?: readonly string[]
  readonly file: string
  readonly line: number | null
}
export type RawItem = RawEntry | { readonly skipped: Skipped }

/** What opening a source found: the folders to look for images in, and its entries in order. */
export interface OpenSource {
  readonly imageRoots: readonly string[]
  /** How the file's fields become ours, for the preview. */
  readonly fields: readonly { readonly from: string; readonly to: string }[]
  readonly entries: (signal?: AbortSignal) => AsyncIterable<RawItem>
}

export interface Format {
  readonly name: string
  readonly title: string
  /** Whether the path looks like this format; cheap, reads at most a few kilobytes. */
  readonly match: (path: string) => Promise<boolean>
  /** @throws AppError 'bad-input' naming the file and what is wrong with it. */
  readonly open: (path: string, options: ReadOptions) => Promise<OpenSource>
}
