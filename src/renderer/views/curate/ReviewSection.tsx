import { UserRound, UserRoundX } from 'lucide-react'
import type { Region } from '../../../shared/domain.ts'
import { fixed, when } from '../../app/format.ts'
import { useInfo } from '../../state/queries.ts'
import { IconButton } from '../../ui/IconButton.tsx'
import { Section } from '../../ui/Pane.tsx'
import { STATUS_WORDS } from './queue-views.ts'
import type { Workbench } from './workbench.ts'
import styles from './inspector.module.css'

/** Whose decision stands, what a second person said beside it, and who is to do it. */
export function ReviewSection({ work, region }: { work: Workbench; region: Region }) {
  const me = useInfo().data?.author
  const { review, second, assignee } = region
  return (
    <Section
      title="Review" aside={assignee === null ? undefined : `assigned to ${assignee}`}
      action={
        <span className={styles.actions}>
          {me !== undefined && assignee !== me ? <IconButton size="s" icon={UserRound} label="Assign to me" onClick={() => work.verbs.editOf(region, `Assigned to ${me}`, { assignee: me })} /> : null}
          {assignee !== null ? <IconButton size="s" icon={UserRoundX} label="Assign to nobody" onClick={() => work.verbs.editOf(region, 'Assigned to nobody', { assignee: null })} /> : null}
        </span>
      }
    >
      <p className="t12 c2">{review === null ? 'Not decided yet' : <>{sentenceOf(region.status)} by <b className="med">{review.by}</b>, {when(review.at)}</>}</p>
      {second === null ? null : (
        <p className="t12 c2" data-testid="second-review">
          Second review: {STATUS_WORDS[second.status]} by <b className="med">{second.by}</b>, {when(second.at)}. IoU {fixed(second.iou)}, {second.samePhrase ? 'same phrase' : 'another phrase'}
        </p>
      )}
    </Section>
  )
}

const sentenceOf = (status: Region['status']): string => STATUS_WORDS[status].charAt(0).toUpperCase() + STATUS_WORDS[status].slice(1)
