import { ImagePlus } from 'lucide-react'
import { t } from '../../../shared/messages/messages.ts'
import { formatHash, useRoute } from '../../app/routes.ts'
import { useDatasets } from '../../state/queries.ts'
import { ButtonLink } from '../../ui/Button.tsx'
import { EmptyState, ErrorNote, Loading } from '../../ui/Notes.tsx'
import { Curate } from './Curate.tsx'
import styles from './curate.module.css'

/** Looks at phrases, boxes and heat of one dataset, sample by sample. */
export function CurateView() {
  const { params } = useRoute()
  const datasets = useDatasets()
  if (datasets.isPending) return <Loading>{t('Loading the dataset')}</Loading>
  if (datasets.isError) return <div className={styles.alone}><ErrorNote error={datasets.error} title={t('The datasets could not be read')} onRetry={() => void datasets.refetch()} /></div>
  const dataset = datasets.data.find((entry) => entry.id === params.dataset) ?? datasets.data.find((entry) => entry.regions > 0) ?? datasets.data[0]
  if (!dataset) {
    return (
      <EmptyState icon={ImagePlus} title={t('Nothing to curate yet')} actions={<ButtonLink kind="primary" href={formatHash('library')}>{t('Open the library')}</ButtonLink>}>
        {t('Import a folder of images with their annotations, or open the demo. Its regions appear here.')}
      </EmptyState>
    )
  }
  // Another dataset is another workbench: nothing of the old one stays.
  return <Curate key={dataset.id} dataset={dataset} />
}
