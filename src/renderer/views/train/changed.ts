/** From anywhere to the form of a run on what was corrected. */
import type { RegionFilter } from '../../../shared/domain.ts'
import { navigate } from '../../app/routes.ts'

/** The view goes along unless it is a list that was picked by hand: that is for looking at, and hardly ever all that should be trained on. */
export function trainOnChanged(datasetId: string, view: { readonly id: string; readonly filter: Pick<RegionFilter, 'regionIds'> } | undefined, checkpointId: string | undefined): void {
  navigate('train', { dataset: datasetId, view: view && !view.filter.regionIds ? view.id : null, start: checkpointId, changed: '1' })
}
