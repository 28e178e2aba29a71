/** A project with as many regions as asked for, made of figures, so that the queue can be measured at a size nobody has at hand. */
import { setImmediate } from 'node:timers/promises'
import type { Db } from '../store/db.ts'
import { PROTOCOL } from '../store/region-rows.ts'
import { indexRegions } from '../store/region-search.ts'

const WORDS = 'red blue green small large wooden striped old open left right mug dog cat car tree umbrella window chair boat bird lamp street table person holding near behind under'.split(' ')
const REGIONS_AN_IMAGE = 50
const ROWS_AT_ONCE = 5000

export interface SyntheticQueue {
  readonly datasetId: string
  readonly checkpoints: readonly [string, string]
}

/** Figures that repeat with the seed: a 32-bit xorshift. */
function figures(seed: number): (below: number) => number {
  let state = seed | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

export async function makeSyntheticQueue(db: Db, regions: number, seed: number, onProgress: (done: number) => void): Promise<SyntheticQueue> {
  const next = figures(seed)
  const pick = <T>(list: readonly T[]): T => list[next(list.length)]!
  const checkpoints = ['bench-a', 'bench-b'] as const
  db.transaction(() => {
    db.run("INSERT INTO datasets (id, name, format, source, created_at, state) VALUES ('bench', 'Synthetic', 'synthetic', 'synthetic', ?, 'importing')", new Date().toISOString())
    for (const id of checkpoints) {
      db.run("INSERT INTO checkpoints (id, name, origin, path, sha256, model_name, model_config, parameters, size_bytes, created_at, metrics, best) VALUES (?, ?, 'imported', ?, '', 'none', '{}', 0, 0, ?, '{}', 0)", id, id, id, new Date().toISOString())
    }
  })
  for (let from = 0; from < regions; from += ROWS_AT_ONCE) {
    db.transaction(() => {
      for (let n = from; n < Math.min(regions, from + ROWS_AT_ONCE); n++) {
        const image = `bench-i${String(Math.floor(n / REGIONS_AN_IMAGE)).padStart(8, '0')}`
        if (n % REGIONS_AN_IMAGE === 0) {
          db.run("INSERT INTO images (id, dataset_id, name, path, width, height, orientation, bytes, split, position) VALUES (?, 'bench', ?, ?, 800, 600, 1, 1, 'train', ?)", image, image, image, n / REGIONS_AN_IMAGE)
        }
        const [x, y, width, height] = [next(600), next(400), 8 + next(190), 8 + next(190)]
        const id = `bench-r${String(n).padStart(8, '0')}`
        db.run(
          `INSERT INTO regions (id, image_id, dataset_id, position, split, phrase, boxes, box_count, status, tags, note, deleted, revision, flags) VALUES (?, ?, 'bench', ?, ?, ?, ?, 1, ?, ?, ?, 0, 1, ?)`,
          id, image, n, pick(['train', 'train', 'train', 'val', 'test']), Array.from({ length: 2 + next(5) }, () => pick(WORDS)).join(' '), JSON.stringify([[x, y, x + width, y + height]]),
          pick(['unreviewed', 'unreviewed', 'accepted', 'rejected', 'skipped']), pick(['[]', '[]', '[]', '["blurred"]', '["blurred","crop"]']), next(20) ? '' : `see ${pick(WORDS)}`, next(30) ? '[]' : '["crosses-edge"]',
        )
        for (const checkpoint of checkpoints) {
          const energy = next(1_000_000) / 1_000_000
          db.run('INSERT INTO scores (checkpoint_id, region_id, protocol, dataset_id, revision, pointing_hit, inside_energy, mean_margin, max_margin, amc_mean, amc_max, soft_iou, uncertain, match_probability) VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, 0, ?)', checkpoint, id, PROTOCOL, 'bench', energy > 0.4 ? 1 : 0, energy, energy - 0.5, energy - 0.4, 1 - energy, 0.8 - energy, energy / 2, next(1_000_000) / 1_000_000)
        }
      }
    })
    onProgress(Math.min(regions, from + ROWS_AT_ONCE))
    await setImmediate()
  }
  for (const _ of indexRegions(db, 'bench')) await setImmediate()
  db.run("UPDATE datasets SET state = 'ready' WHERE id = 'bench'")
  return { datasetId: 'bench', checkpoints }
}
