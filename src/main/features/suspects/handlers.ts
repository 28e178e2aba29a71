/** Suspects: why a region may be wrong, what would mend it, and what the reviewers' decisions have taught. */
import { SUSPECT_FROM, WEIGHTS } from '../../../shared/suspects/judge.ts'
import { learnWeights, tally } from '../../../shared/suspects/learn.ts'
import type { EngineContext, Handlers } from '../../engine/context.ts'
import { countRegionsBelowTrust } from '../../store/region-filter.ts'
import { forgetDecisions, readDecisions } from '../../store/suspect-decisions.ts'
import { isJudged, judgeImage, readBasis } from '../../store/suspect-rows.ts'
import { createRanking } from './ranking.ts'

export function suspectsHandlers(context: EngineContext): Handlers<'suspects'> {
  const { db, events } = context
  const ranking = createRanking(context)
  const scored = (datasetId: string) => db.all<{ checkpointId: string }>('SELECT checkpoint_id AS checkpointId FROM suspect_baselines WHERE dataset_id = ?', datasetId)
  let taught = 0

  events.on((event) => {
    if (event.type === 'scores.changed') ranking.wake(event)
    if (event.type !== 'regions.changed') return
    const { n } = db.get<{ n: number }>("SELECT count(*) AS n FROM suspect_decisions d JOIN edits e ON e.id = d.edit_id WHERE e.state = 'done'")!
    const learned = n !== taught
    taught = n
    for (const { checkpointId } of scored(event.datasetId)) ranking.touch({ datasetId: event.datasetId, checkpointId }, learned)
  })

  const learned = () => {
    const decisions = readDecisions(db)
    const weights = learnWeights(decisions)
    return {
      decisions: decisions.length, agreed: decisions.filter((one) => one.agreed).length,
      reasons: tally(decisions).map((one) => ({ ...one, weight: weights[one.name], usual: WEIGHTS[one.name] })),
    }
  }

  return {
    /** Judged as it is at this moment: an edit just made is not waited for. */
    of: ({ regionId, checkpointId }) => {
      const region = db.get<{ image_id: string; dataset_id: string }>('SELECT image_id, dataset_id FROM regions WHERE id = ? AND deleted = 0', regionId)
      if (!region) return { suspicion: null, reasons: [] }
      const judged = { datasetId: region.dataset_id, checkpointId }
      const judgements = db.transaction(() => judgeImage(db, judged, region.image_id, readBasis(db, judged), isJudged(db, checkpointId, region.image_id)))
      const own = judgements.find((one) => one.regionId === regionId)
      return own ? { suspicion: own.suspicion, reasons: own.reasons.map((reason) => ({ ...reason, numbers: [...reason.numbers] })) } : { suspicion: null, reasons: [] }
    },
    count: ({ filter }) => {
      if (filter.checkpointId) ranking.wake({ datasetId: filter.datasetId, checkpointId: filter.checkpointId })
      return { suspects: filter.checkpointId ? countRegionsBelowTrust(db, filter, 1 - SUSPECT_FROM) : 0 }
    },
    learned,
    forget: () => {
      forgetDecisions(db)
      taught = 0
      for (const judged of db.all<{ datasetId: string; checkpointId: string }>('SELECT dataset_id AS datasetId, checkpoint_id AS checkpointId FROM suspect_baselines')) ranking.touch(judged, true)
      return learned()
    },
  }
}
