import { UserRound, UserRoundX } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Region } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { fixed, when } from '../../app/format.ts'
import { useInfo } from '../../state/queries.ts'
import { IconButton } from '../../ui/IconButton.tsx'
import { Section } from '../../ui/Pane.tsx'
import { rich } from '../../ui/rich.tsx'
import { STATUS_WORDS } from './queue-views.ts'
import type { Workbench } from './workbench.ts'
import styles from './inspector.module.css'

/** Whose decision stands, what a second person said beside it, and who is to do it. */
export function ReviewSection({ work, region }: { work: Workbench; region: Region }) {
  const me = useInfo().data?.author
  const { review, second, assignee } = region
  return (
    <Section
      title={t('Review')} aside={assignee === null ? undefined : t('assigned to {name}', { name: assignee })}
      action={
        <span className={styles.actions}>
          {me !== undefined && assignee !== me ? <IconButton size="s" icon={UserRound} label={t('Assign to me')} onClick={() => work.verbs.editOf(region, t('Assigned to {name}', { name: me }), { assignee: me })} /> : null}
          {assignee !== null ? <IconButton size="s" icon={UserRoundX} label={t('Assign to nobody')} onClick={() => work.verbs.editOf(region, t('Assigned to nobody'), { assignee: null })} /> : null}
        </span>
      }
    >
      <p className="t12 c2">{review === null ? t('Not decided yet') : rich('{decision} by <name>{by}</name>, {when}', { decision: sentenceOf(region.status), by: review.by, when: when(review.at), name: strong })}</p>
      {second === null ? null : (
        <p className="t12 c2" data-testid="second-review">
          {rich('Second review: {decision} by <name>{by}</name>, {when}. IoU {iou}, {phrase}', { decision: STATUS_WORDS[second.status], by: second.by, when: when(second.at), iou: fixed(second.iou), phrase: second.samePhrase ? t('same phrase') : t('another phrase'), name: strong })}
        </p>
      )}
    </Section>
  )
}

const strong = (name: ReactNode[]): ReactNode => <b className="med">{name}</b>
const sentenceOf = (status: Region['status']): string => STATUS_WORDS[status].charAt(0).toUpperCase() + STATUS_WORDS[status].slice(1)
