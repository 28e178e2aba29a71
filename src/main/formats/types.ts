/**
 * What an importer reads and an exporter writes. A format turns its own files into raw entries; one common stage (read-dataset.ts)
 * finds and opens the images and checks the boxes, so that every format treats bad input the same way. The other way a writer is
 * given images with their regions one after the other, and never the whole dataset.
 */
import type { RegionFields, RegionMarks, RegionStatus } from '../../shared/domain.ts'
import type { Box } from '../../shared/geometry.ts'
import type { Outline } from '../../shared/shape.ts'
import type { Output } from './output.ts'

/** Something that was left out, and why: a row of the import report. Lines count from 1; null where a line means nothing. */
export interface Skipped {
  readonly file: string
  readonly line: number | null
  readonly reason: string
  /** Path of the image that is there and cannot be read, or not all that is said of it: what is known of it otherwise may still hold. */
  readonly image?: string
}

export interface ReadRegion {
  readonly phrase: string
  /** Pixels of the image as seen (after EXIF orientation); exactly as written, never clamped. None where the format says that there is nothing to draw. */
  readonly boxes: readonly Box[]
  /** As shape.ts says; absent when no box has one. */
  readonly outlines?: readonly Outline[]
  /** What is unusual and was kept: crosses-edge, outside-image; also inverted and no-area when such a box was left out of several. */
  readonly flags: readonly string[]
  /** What the phrase speaks of, where the file says so: lets training know true negatives. */
  readonly concepts?: readonly string[]
  /** Where it was read: "annotations.json:12". */
  readonly source: string
  readonly review?: Review
  readonly raw?: unknown
}

/** What people did with a region, where the file says so. */
export interface Review {
  readonly status?: RegionStatus
  readonly tags?: readonly string[]
  readonly note?: string
  /** Who is to do it, who did, and a split of its own. */
  readonly marks?: Partial<RegionMarks>
  /** Earlier states; the one with the greatest revision is the present. */
  readonly history?: readonly PastState[]
}
export interface PastState {
  readonly revision: number
  readonly at: string
  readonly actor: string
  readonly label: string
  readonly fields: RegionFields
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
  /** Tells a file that was replaced: see filePrint. */
  readonly print?: string
  readonly split: string
  readonly kind?: string
  /** What can be seen on the image, where the file says so. */
  readonly concepts?: readonly string[]
  readonly raw?: unknown
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
  /** Folders to look in before the source's own: another split may have an image of the same name. */
  readonly roots?: readonly string[]
  /** For the report: name of the annotation file, and the line where the entry begins. */
  readonly file: string
  readonly line: number | null
  readonly split: string
  readonly kind?: string
  readonly concepts?: readonly string[]
  /** The record of the image as it was read, if the format has one: written back as it came. Plain JSON. */
  readonly raw?: unknown
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
  readonly review?: Review
  /** What the file itself flags. */
  readonly flags?: readonly string[]
  /** The record as it was read, where it holds more than our fields, or holds them in other numbers. Plain JSON. */
  readonly raw?: unknown
}
/** What was skipped may be a region of an image. */
export type RawItem = RawEntry | { readonly skipped: Skipped; readonly of?: Pick<RawEntry, 'imageRef' | 'roots'> }

/** What opening a source found: the folders to look for images in, and its entries in order. */
export interface OpenSource {
  readonly imageRoots: readonly string[]
  /** How the file's fields become ours, for the preview. */
  readonly fields: readonly { readonly from: string; readonly to: string }[]
  readonly entries: (signal?: AbortSignal) => AsyncIterable<RawItem>
  /** What the source says of the dataset as a whole (licences, categories); plain JSON, known once the entries are read. */
  readonly head?: () => unknown
}

export interface Format {
  readonly name: string
  readonly title: string
  /** Whether the path looks like this format; cheap, reads at most a few kilobytes. */
  readonly match: (path: string) => Promise<boolean>
  /** @throws AppError 'bad-input' naming the file and what is wrong with it. */
  readonly open: (path: string, options: ReadOptions) => Promise<OpenSource>
  readonly write?: FormatWriter
}

/** A region as it is written. `raw` is the record it was read from, when that was of the same format. */
export interface ExportRegion {
  readonly id: string
  readonly phrase: string
  readonly boxes: readonly Box[]
  /** As shape.ts says: [] or one a box. */
  readonly outlines: readonly Outline[]
  readonly status: RegionStatus
  readonly tags: readonly string[]
  readonly note: string
  readonly flags: readonly string[]
  /** Only those that say something: a split other than the image's, an assignee, decisions with their names. */
  readonly marks?: Partial<RegionMarks>
  readonly concepts: readonly string[] | null
  /** Nobody changed it since it was read (or all changes were taken back): it may be written as `raw`. */
  readonly untouched: boolean
  readonly raw?: unknown
  readonly history?: readonly PastState[]
}
export interface ExportImage {
  readonly id: string
  /** As the annotations shall name it. */
  readonly name: string
  /** Where the file is now. */
  readonly path: string
  readonly width: number
  readonly height: number
  readonly split: string
  readonly kind: string | null
  readonly concepts: readonly string[] | null
  readonly raw?: unknown
}
export interface ExportSample {
  readonly image: ExportImage
  readonly regions: readonly ExportRegion[]
}
/** Of the dataset as a whole. */
export interface ExportHead {
  readonly name: string
  /** ISO time. */
  readonly at: string
  readonly raw?: unknown
}

/** What a format can hold beside a phrase with a box. What it cannot is counted and told before anything is written. */
export interface Holds {
  /** 'many': several boxes a region; 'one': each box becomes a region of its own; 'phrase': all regions of one phrase on an image become one. */
  readonly boxes: 'many' | 'one' | 'phrase'
  /** The rest in any combination. boxless: regions without a box; duplicates: the same phrase and boxes twice on an image. */
  readonly fields: readonly ('status' | 'tags' | 'note' | 'split' | 'concepts' | 'kind' | 'imageConcepts' | 'flags' | 'emptyImages' | 'outlines' | 'marks' | 'history' | 'boxless' | 'duplicates')[]
  /** Texts that can be phrases; absent: all. */
  readonly phrase?: (phrase: string) => boolean
  /** Names of splits that can be written; absent: all. */
  readonly split?: (split: string) => boolean
  /** Boxes that can be written; absent: all. */
  readonly box?: (box: Box, image: ExportImage) => boolean
  /** Boxes that come out with other numbers, by more than rounding of the last digits. */
  readonly rounds?: (box: Box) => boolean
  /** Fields of a record that are ours by another name, or mere numbering: the others are lost in another format. */
  readonly known: readonly string[]
}
export interface WriteSession {
  readonly add: (sample: ExportSample) => Promise<void>
  readonly finish: () => Promise<void>
}
export interface FormatWriter {
  /** The annotation file, when it is one; null for formats of several files. */
  readonly file: string | null
  readonly holds: Holds
  /** Where the copy of an image goes, below the folder. */
  readonly imagePath: (image: ExportImage) => string
  /** 'paths' as the source names them; 'flat': one folder, and no two names that differ in their ending only. */
  readonly names: 'paths' | 'flat'
  /** The format is a folder with its images. */
  readonly needsImages: boolean
  readonly begin: (out: Output, head: ExportHead) => Promise<WriteSession>
}
