/**
 * Fields of ours in formats that let people name attributes of their own: status, note, tags (a JSON list, so that no comma splits one) and
 * group, which joins boxes that belong to one phrase.
 */
import type { Box } from '../../shared/geometry.ts'
import { type Outline, type Shape, shapeOf } from '../../shared/shape.ts'
import { reviewOf } from './review.ts'
import type { ExportRegion, Review } from './types.ts'

export type Attributes = Record<string, string>

/** @param group when the region is written in several pieces */
export function attributesOf(region: ExportRegion, group?: number): Attributes {
  return {
    ...(region.status === 'unreviewed' ? {} : { status: region.status }), ...(region.note === '' ? {} : { note: region.note }),
    ...(region.tags.length > 0 ? { tags: JSON.stringify(region.tags) } : {}), ...(group === undefined ? {} : { group: String(group) }),
  }
}

export function reviewIn(attributes: Readonly<Record<string, unknown>>): Review | null {
  return reviewOf({ status: attributes['status'], note: attributes['note'], tags: listIn(attributes['tags']) })
}

function listIn(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    const list: unknown = JSON.parse(value)
    return Array.isArray(list) ? list : [value]
  } catch {
    return value.split(',').map((one) => one.trim()).filter(Boolean)
  }
}

/** The parts of a shape, each a box with its outline. */
export function piecesOf({ boxes, outlines }: Shape): { box: Box; outline: Outline }[] {
  return boxes.map((box, i) => ({ box, outline: outlines[i] ?? [] }))
}

export function joined(pieces: readonly { readonly box: Box; readonly outline: Outline }[]): Shape {
  return shapeOf(pieces.map(({ box }) => box), pieces.map(({ outline }) => outline))
}

/** Pairs from a flat outline. */
export function pointsOf(outline: Outline): [number, number][] {
  return Array.from({ length: outline.length / 2 }, (_, i) => [outline[2 * i]!, outline[2 * i + 1]!])
}

/** The phrase among attributes that people use for it. */
export function phraseIn(attributes: Readonly<Record<string, unknown>>, names = ['phrase', 'caption', 'description', 'label', 'name', 'class', 'text']): string | null {
  for (const name of names) {
    const value = attributes[name]
    if (typeof value === 'string' && value !== '') return value
  }
  return null
}

export const isNumbers = (value: unknown, length: number): value is number[] => Array.isArray(value) && value.length === length && value.every((one) => typeof one === 'number' && Number.isFinite(one))
