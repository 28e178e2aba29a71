/** Small pictures of a phrase under both checkpoints of a pair, from the heat that is stored. */
import type { Comparison, ComparePair, CompareRow } from '../../../../shared/contract/compare.ts'
import { heatPicture } from '../../../images/heat-picture.ts'
import type { Db } from '../../../store/db.ts'
import { findHeat, gridOf } from '../../../store/heat-rows.ts'
import { toShape } from '../../../store/region-rows.ts'
import type { Project } from '../../../store/project.ts'

export interface Example {
  readonly row: CompareRow
  readonly cell: 'fixed' | 'broken'
  /** data: addresses; null with a reason when there is no picture. */
  readonly a: string | null
  readonly b: string | null
  readonly why: string | null
}

const LONGEST_PX = 200

/** The largest changes of consistency among what was fixed and what was broken. */
export async function examplesOf(db: Db, project: Project, comparison: Comparison, pair: ComparePair, each: number): Promise<Example[]> {
  const change = ({ scores }: CompareRow): number => (scores[pair.b]!.insideEnergy ?? 0) - (scores[pair.a]!.insideEnergy ?? 0)
  const fixed = comparison.rows.filter(({ scores }) => !scores[pair.a]!.pointingHit && scores[pair.b]!.pointingHit).sort((x, y) => change(y) - change(x)).slice(0, each)
  const broken = comparison.rows.filter(({ scores }) => scores[pair.a]!.pointingHit && !scores[pair.b]!.pointingHit).sort((x, y) => change(x) - change(y)).slice(0, each)
  const examples: Example[] = []
  for (const [cell, rows] of [['fixed', fixed], ['broken', broken]] as const) for (const row of rows) examples.push({ row, cell, ...(await picturesOf(db, project, comparison, pair, row)) })
  return examples
}

async function picturesOf(db: Db, project: Project, { checkpoints }: Comparison, pair: ComparePair, row: CompareRow): Promise<Pick<Example, 'a' | 'b' | 'why'>> {
  const found = db.get<{ path: string; boxes: string; outlines: string }>('SELECT i.path, r.boxes, r.outlines FROM images i JOIN regions r ON r.image_id = i.id WHERE r.id = ?', row.regionId)
  const heats = [pair.a, pair.b].map((place) => findHeat(db, checkpoints[place]!.id, row.imageId, row.phrase))
  if (!found || !heats[0] || !heats[1]) return { a: null, b: null, why: 'Its heat is not stored any more.' }
  const grids = heats.map((heat) => gridOf(heat!))
  const values = grids.flatMap((grid) => Array.from(grid.values, (value) => Math.max(0, value)))
  const range = { low: Math.min(...values), high: Math.max(...values) }
  try {
    const [a, b] = await Promise.all(heats.map((heat, k) => heatPicture(project.fromStored(found.path), { grid: grids[k]!, ...toShape(found), peak: { x: heat!.peak_x, y: heat!.peak_y }, range, longestPx: LONGEST_PX })))
    const address = async (picture: Awaited<ReturnType<typeof heatPicture>>): Promise<string> => `data:image/jpeg;base64,${(await picture.jpeg({ quality: 80 }).toBuffer()).toString('base64')}`
    return { a: await address(a!), b: await address(b!), why: null }
  } catch {
    return { a: null, b: null, why: 'Its image file cannot be read.' }
  }
}
