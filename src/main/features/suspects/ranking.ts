/**
 * Keeps the rank of the suspects: what came in by scoring or edits is judged soon after, image by image between other work; when
 * what is usual in the dataset has changed, all of it once more. A killed pass goes on where it ended.
 */
import { setImmediate } from 'node:timers/promises'
import type { Box, Size } from '../../../shared/geometry.ts'
import { areaShare, type BaselineSample, takeBaseline } from '../../../shared/suspects/baseline.ts'
import type { EngineContext } from '../../engine/context.ts'
import { PROTOCOL } from '../../store/region-rows.ts'
import { learnedWeights, weighAgain } from '../../store/suspect-decisions.ts'
import { type Basis, company, countScores, findBaseline, judgeImage, type Judged, putBaseline, readBasis } from '../../store/suspect-rows.ts'

export interface Ranking {
  /** Soon judges what of it is not judged yet, all of it where what is usual has changed. */
  wake(judged: Judged): void
  /** The same after an edit, which changes nothing of what is usual; learned: the reasons are weighed anew too. */
  touch(judged: Judged, learned: boolean): void
}

const IMAGES_AT_ONCE = 20
const ROWS_AT_ONCE = 2000
/** So many scores more or fewer, and what is usual is taken anew. */
const GROWTH = 1.5
/** From how many scores on it is a job that a person sees. */
const LONG = 20_000
const WAIT_MS = 100

export function createRanking({ db, jobs, events }: Pick<EngineContext, 'db' | 'jobs' | 'events'>): Ranking {
  const asked = new Map<string, { judged: Judged; weigh: boolean; whole: boolean }>()
  let running: Promise<void> | null = null
  let closed = false

  const ask = ({ datasetId, checkpointId }: Judged, weigh: boolean, whole: boolean): void => {
    const key = JSON.stringify([datasetId, checkpointId])
    const known = asked.get(key)
    asked.set(key, { judged: { datasetId, checkpointId }, weigh: weigh || (known?.weigh ?? false), whole: whole || (known?.whole ?? false) })
    running ??= work().finally(() => (running = null))
  }

  async function work(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS).unref())
    for (let next = asked.entries().next().value; next && !closed; next = (await setImmediate(), asked.entries().next().value)) {
      const [key, { judged, weigh, whole }] = next
      asked.delete(key)
      try {
        const done = whole ? await judgeWhole(judged) : await judgeRest(judged, readBasis(db, judged), never)
        if (weigh) await reweigh(judged)
        if (weigh || done > 0) events.emit({ ...judged, type: 'suspects.changed' })
      } catch (error) {
        if (!isOpen()) return
        console.error('Ranking the suspects:', error)
      }
    }
  }

  /** The project may be closed at any moment between two steps. */
  const isOpen = (): boolean => {
    try {
      db.get('SELECT 1')
      return true
    } catch {
      closed = true
      return false
    }
  }

  async function judgeWhole(judged: Judged): Promise<number> {
    const isLong = needsAll(judged) && countScores(db, judged) > LONG
    return isLong ? (await jobs.ended(addJob(judged))).done : await pass(judged, never, () => undefined)
  }

  function addJob(judged: Judged): string {
    const name = db.get<{ name: string }>('SELECT name FROM datasets WHERE id = ?', judged.datasetId)?.name ?? ''
    return jobs.add({
      kind: 'score', title: `Rank the suspects of ${name}`, lane: 'files', unit: 'regions', background: true, about: judged,
      work: ({ signal, progress }) => pass(judged, signal, (done, total) => progress({ done, total })),
    }).id
  }

  const peersOf = (judged: Judged): string => JSON.stringify(company(db, judged))

  /** Whether all of it must be judged anew: it never was, half as much again came since, or other checkpoints are heard now. */
  function needsAll(judged: Judged): boolean {
    const known = findBaseline(db, judged)
    if (!known || known.walked_to !== null) return true
    const now = countScores(db, judged)
    return now > GROWTH * known.scores || GROWTH * now < known.scores || known.peers !== peersOf(judged)
  }

  async function pass(judged: Judged, signal: AbortSignal, onProgress: (done: number, total: number) => void): Promise<number> {
    const scores = countScores(db, judged)
    if (scores === 0) return 0
    const known = findBaseline(db, judged)
    let from = known?.walked_to ?? null
    if (from === null && needsAll(judged)) {
      const peers = peersOf(judged)
      const baseline = await measure(judged, signal)
      if (signal.aborted || !db.get('SELECT 1 FROM datasets d, checkpoints c WHERE d.id = ? AND c.id = ?', judged.datasetId, judged.checkpointId)) return 0
      putBaseline(db, judged, { scores, peers, baseline, walkedTo: 0 })
      from = 0
    }
    const basis = readBasis(db, judged)
    const walked = from === null ? 0 : await walkAll(judged, basis, from, signal, (done) => onProgress(done, scores))
    return walked + (await judgeRest(judged, basis, signal))
  }

  /** What is usual now, read in pages. */
  async function measure({ datasetId, checkpointId }: Judged, signal: AbortSignal) {
    const samples: BaselineSample[] = []
    for (let last = ''; !signal.aborted; await setImmediate()) {
      const rows = db.all<Size & { region_id: string; phrase: string; boxes: string; inside_energy: number }>(
        `SELECT s.region_id, s.inside_energy, r.phrase, r.boxes, i.width, i.height FROM scores s CROSS JOIN regions r ON r.id = s.region_id CROSS JOIN images i ON i.id = r.image_id
         WHERE s.checkpoint_id = ? AND s.protocol = ? AND s.region_id > ? AND s.dataset_id = ? ORDER BY s.region_id LIMIT ?`, checkpointId, PROTOCOL, last, datasetId, ROWS_AT_ONCE,
      )
      for (const row of rows) samples.push({ phrase: row.phrase, area: areaShare(JSON.parse(row.boxes) as Box[], row), insideEnergy: row.inside_energy })
      if (rows.length < ROWS_AT_ONCE) break
      last = rows.at(-1)!.region_id
    }
    return takeBaseline(samples)
  }

  async function walkAll(judged: Judged, basis: Basis, start: number, signal: AbortSignal, onDone: (done: number) => void): Promise<number> {
    let done = 0
    for (let from = start; !signal.aborted && !closed; await setImmediate()) {
      const images = db.all<{ id: string; position: number }>('SELECT id, position FROM images WHERE dataset_id = ? AND position >= ? ORDER BY position LIMIT ?', judged.datasetId, from, IMAGES_AT_ONCE)
      const last = images.at(-1)
      const next = last && images.length === IMAGES_AT_ONCE ? last.position + 1 : null
      db.transaction(() => {
        for (const image of images) done += judgeImage(db, judged, image.id, basis).length
        db.run('UPDATE suspect_baselines SET walked_to = ? WHERE dataset_id = ? AND checkpoint_id = ?', next, judged.datasetId, judged.checkpointId)
      })
      onDone(done)
      if (next === null) break
      from = next
    }
    return done
  }

  async function judgeRest(judged: Judged, basis: Basis, signal: AbortSignal): Promise<number> {
    let done = 0
    for (let last = ''; !signal.aborted && !closed; await setImmediate()) {
      const rows = db.all<{ region_id: string; image_id: string }>(
        `SELECT s.region_id, r.image_id FROM scores s INDEXED BY scores_unjudged CROSS JOIN regions r ON r.id = s.region_id
         WHERE s.dataset_id = ? AND s.checkpoint_id = ? AND s.evidence IS NULL AND s.protocol = ? AND s.region_id > ? ORDER BY s.region_id LIMIT ?`, judged.datasetId, judged.checkpointId, PROTOCOL, last, IMAGES_AT_ONCE,
      )
      db.transaction(() => {
        for (const imageId of new Set(rows.map((row) => row.image_id))) done += judgeImage(db, judged, imageId, basis).length
      })
      if (rows.length < IMAGES_AT_ONCE) break
      last = rows.at(-1)!.region_id
    }
    return done
  }

  async function reweigh(judged: Judged): Promise<void> {
    const weights = learnedWeights(db)
    for (let at: { from: number; regionId: string } | null = { from: -1, regionId: '' }; at && !closed; await setImmediate()) {
      const { from, regionId }: { from: number; regionId: string } = at
      at = db.transaction(() => weighAgain(db, judged, weights, from, regionId, ROWS_AT_ONCE))
    }
  }

  return {
    wake: (judged) => ask(judged, false, true),
    touch: (judged, learned) => ask(judged, learned, false),
  }
}

const never = new AbortController().signal
