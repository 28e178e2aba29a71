/** Result files as `amc evaluate` writes them, for what compares them. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface ResultOptions {
  readonly data?: string
  readonly layer?: number
  /** Of the one sample that could not be read. */
  readonly unread?: number
}

/** @param hits one a sample: 1, 0, or null where the file lacks it */
export async function writeResultFile(folder: string, name: string, hits: readonly (number | null)[], { data = 'd1', layer = 8, unread = 1 }: ResultOptions = {}): Promise<string> {
  const path = join(folder, `${name}.json`)
  await writeFile(path, JSON.stringify({
    format: 'amc-evaluation', version: 1, title: 'Flickr30k Entities', finishedAt: '2024-01-01T00:00:00Z', checkpoint: { name, fingerprint: name },
    settings: { protocol: 'flickr30k', mode: 'itm', layer, imageSize: 384, data },
    samples: hits.flatMap((hit, i) => (hit === null ? [] : [{ id: `s${i}`, split: i % 2 ? 'val' : 'test', image: `${i >> 2}`, phrase: 'a dog', point: null, scores: { pointing: hit, energyInside: hit ? 0.75 : 0.25 + (i % 10) / 50, uncertain: null }, ...(i === unread ? { error: 'unreadable' } : {}) }])),
  }))
  return path
}
