/** Removes datasets: invisible at once, then gone in small steps, so that a large one does not hold up anything else. */
import { setImmediate } from 'node:timers/promises'
import type { Db } from '../../store/db.ts'

const IMAGES_AT_ONCE = 200

export async function removeDataset(db: Db, id: string): Promise<void> {
  db.transaction(() => {
    db.run("UPDATE datasets SET state = 'removing' WHERE id = ?", id)
    db.run('DELETE FROM edits WHERE dataset_id = ?', id)
  })
  // Images take their regions, scores and heatmaps with them.
  while (db.run('DELETE FROM images WHERE id IN (SELECT id FROM images WHERE dataset_id = ? LIMIT ?)', id, IMAGES_AT_ONCE).changes > 0) await setImmediate()
  db.run('DELETE FROM datasets WHERE id = ?', id)
}

/**
 * What an interrupted import or removal left. Called once, when a project is opened and before anything new begins: the list is made
 * at once, so that an import begun meanwhile is never taken for a leftover; the removal itself takes its time.
 */
export function removeUnfinished(db: Db): () => Promise<void> {
  const leftovers = db.all<{ id: string }>("SELECT id FROM datasets WHERE state <> 'ready'")
  return async () => {
    for (const { id } of leftovers) await removeDataset(db, id)
  }
}
