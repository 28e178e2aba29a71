/** The words the pointer tools speak in. */
import type { Box, Point, Size } from '../../shared/geometry.ts'
import type { Outline } from '../../shared/shape.ts'
import type { Camera } from './camera.ts'
import type { Grip, HitIndex } from './hit.ts'

export type ToolName = 'select' | 'draw' | 'polygon' | 'pan'

export interface ToolBox {
  readonly key: string
  readonly box: Box
  /** True for the boxes of the phrase in hand; only those can be moved and resized. */
  readonly editable: boolean
  /** The polygon whose bounds the box is; left out where the box is itself the shape. */
  readonly outline?: Outline
  /** True for a box that must stay as it is, in hand or not. */
  readonly locked?: boolean
}


export interface ToolContext {
  readonly tool: ToolName
  readonly image: Size
  readonly camera: Camera
  readonly viewport: Size
  readonly snap: boolean
  readonly selected: string | null
  readonly box: (key: string) => ToolBox | undefined
  readonly hits: HitIndex
}

export interface PointerWord {
  readonly type: 'down' | 'move' | 'up'
  /** CSS px from the canvas's top left corner. */
  readonly screen: Point
  readonly button?: number
  readonly shift?: boolean
  readonly alt?: boolean
}
/** confirm: the outline is done. back: its last point is taken away. */
export type ToolEvent = PointerWord | { readonly type: 'cancel' } | { readonly type: 'confirm' } | { readonly type: 'back' }

export type ToolState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'pressed'; readonly start: Point; readonly camera: Camera; readonly key: string | null; readonly keys: readonly string[]; readonly fresh: boolean }
  | { readonly kind: 'moving'; readonly key: string; readonly start: Point; readonly before: Box; readonly after: Box }
  | { readonly kind: 'resizing'; readonly key: string; readonly grip: Grip; readonly start: Point; readonly before: Box; readonly after: Box }
  | { readonly kind: 'drawing'; readonly start: Point; readonly anchor: Point; readonly after: Box; readonly byClicks: boolean }
  /** A polygon being clicked: the points that are set, and the one that follows the pointer. */
  | { readonly kind: 'outlining'; readonly points: readonly Point[]; readonly at: Point }
  /** One point of a selected outline being dragged, or moved by keys. */
  | { readonly kind: 'shaping'; readonly key: string; readonly vertex: number; readonly start: Point; readonly before: Outline; readonly from: Outline; readonly after: Outline; readonly byKeys?: boolean }
  | { readonly kind: 'panning'; readonly start: Point; readonly camera: Camera }

export type ToolEffect =
  | { readonly type: 'select'; readonly key: string | null }
  | { readonly type: 'commit'; readonly gesture: 'move' | 'resize'; readonly key: string; readonly before: Box; readonly after: Box }
  | { readonly type: 'commit'; readonly gesture: 'draw'; readonly after: Box }
  | { readonly type: 'commit'; readonly gesture: 'outline'; readonly outline: Outline }
  | { readonly type: 'commit'; readonly gesture: 'shape'; readonly key: string; readonly outline: Outline }
  | { readonly type: 'camera'; readonly camera: Camera }

export interface ToolStep {
  readonly state: ToolState
  readonly effects: readonly ToolEffect[]
}
