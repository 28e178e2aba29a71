/** From a gallery to Curate: one region, or exactly the list that is shown, kept as a view so that it can be walked, trained on and compared on. */
import type { QueryClient } from '@tanstack/react-query'
import type { View } from '../../../shared/domain.ts'
import { navigate } from '../../app/routes.ts'
import { api } from '../../state/engine.ts'
import { keys, sentence } from '../../state/queries.ts'
import { toast } from '../../ui/toast.tsx'
import { mintId } from '../curate/words.ts'
import type { Row } from './pick.ts'

export function openInCurate(datasetId: string, row: Row, checkpointId: string): void {
  navigate('curate', { dataset: datasetId, region: row.regionId, image: row.imageId, checkpoint: checkpointId })
}

/** A list that was sent there before is the same view again. */
export async function openListInCurate(client: QueryClient, datasetId: string, name: string, rows: readonly Pick<Row, 'regionId' | 'imageId'>[], checkpointId: string | undefined): Promise<void> {
  const first = rows[0]
  if (!first) return
  const regionIds = rows.map((row) => row.regionId)
  const same = JSON.stringify([...regionIds].sort())
  try {
    const views = await api.views.list({ datasetId })
    const known = views.find((view) => view.filter.regionIds && Object.keys(view.filter).every((key) => key === 'datasetId' || key === 'regionIds') && JSON.stringify([...view.filter.regionIds].sort()) === same)
    const view = known ?? (await api.views.save({ id: mintId(), name, filter: { datasetId, regionIds }, sort: 'file-order', descending: false }))
    // Curate knows a view by the list it has: it must be there before the address names it.
    client.setQueryData<readonly View[]>(keys.views(datasetId), known ? views : [...views, view])
    navigate('curate', { dataset: datasetId, view: view.id, region: first.regionId, image: first.imageId, checkpoint: checkpointId })
  } catch (error) {
    toast({ tone: 'negative', title: sentence(error) })
  }
}
