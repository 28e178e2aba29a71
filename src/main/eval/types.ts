/** What an evaluation works on: phrases with their boxes on images, and what was found for each. */
import type { Box, Point, Size } from '../../shared/geometry.ts'
import type { Outline } from '../../shared/shape.ts'

export interface EvalImage {
  readonly key: string
  /** Absolute path of the file; it may be missing, which is told and counted. */
  readonly path: string
  /** As the annotations say; null where the published code takes the size of the file. */
  readonly size: Size | null
}

/** One phrase on one image. */
export interface EvalSample {
  /** Unique within a benchmark. */
  readonly id: string
  readonly image: EvalImage
  /** As it stands in the file; it is cleaned when it is used. */
  readonly phrase: string
  /** x1 y1 x2 y2: any of them is right. */
  readonly boxes: readonly Box[]
  /** Of a view's regions: one a box, [] for a box without. */
  readonly outlines?: readonly Outline[]
  readonly split: string
  /** The referred box as it is written, for the detector's boxes. */
  readonly referred?: XywhBox
  /** Proposals of a detector, x y w h; null: none are used. Absent for an image the detections do not know. */
  readonly detections?: readonly XywhBox[] | null
}

/** x y w h, as COCO writes boxes. */
export type XywhBox = readonly [x: number, y: number, w: number, h: number]

/** Samples in the order of the files, and what is worth knowing about them. */
export interface Benchmark {
  readonly samples: readonly EvalSample[]
  /** Said with every result: what is unusual about the data, in sentences. */
  readonly notes: readonly string[]
}

/** A raw heatmap, as the explainer gives it. */
export interface RawHeat {
  readonly width: number
  readonly height: number
  readonly values: Float32Array
}

/** What came out for one sample. Scores that mean nothing for it are null. */
export interface SampleResult {
  readonly id: string
  readonly split: string
  readonly image: string
  readonly phrase: string
  /** First row-major maximum of the bicubically upsampled map; null without a usable map. */
  readonly point: Point | null
  readonly scores: Readonly<Record<string, number | null>>
  readonly detection?: DetectionResult
  /** Why there is no usable heatmap. It counts as a miss. */
  readonly error?: string
}

export interface DetectionResult {
  /** The proposal with the most heat, as published: without one, the box chosen for the sample before. */
  readonly box: XywhBox | null
  readonly iou: number
  /** False where the box is the one chosen for the sample before. */
  readonly own: boolean
}
