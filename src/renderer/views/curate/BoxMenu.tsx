import { BringToFront, Ellipsis, Eye, EyeOff, Lock, LockOpen, SendToBack, Trash2 } from 'lucide-react'
import { t } from '../../../shared/messages/messages.ts'
import { IconButton } from '../../ui/IconButton.tsx'
import { Menu } from '../../ui/Menu.tsx'
import type { Verbs } from './workbench.ts'

/** Everything that can be done with one box of a phrase. */
export function BoxMenu({ index, count, hidden, locked, phraseLocked, verbs }: { index: number; count: number; hidden: boolean; locked: boolean; phraseLocked: boolean; verbs: Verbs }) {
  return (
    <Menu
      align="end" trigger={<IconButton size="s" icon={Ellipsis} label={t('More for box {n}', { n: index + 1 })} hint={t('Hide, lock, order, delete')} />}
      entries={[
        { label: hidden ? t('Show this box') : t('Hide this box'), icon: hidden ? Eye : EyeOff, keys: 'Shift+e', onSelect: () => verbs.toggleBox(index, 'hidden') },
        { label: locked ? t('Unlock this box') : t('Lock this box'), icon: locked ? LockOpen : Lock, keys: 'Shift+l', onSelect: () => verbs.toggleBox(index, 'locked') },
        null,
        { label: t('Bring to the front'), icon: BringToFront, keys: 'Shift+BracketRight', disabled: phraseLocked || index === count - 1, onSelect: () => verbs.arrangeBox(index, 'front') },
        { label: t('Send to the back'), icon: SendToBack, keys: 'Shift+BracketLeft', disabled: phraseLocked || index === 0, onSelect: () => verbs.arrangeBox(index, 'back') },
        null,
        { label: t('Delete box {n}', { n: index + 1 }), icon: Trash2, keys: 'Delete', danger: true, disabled: phraseLocked || locked, onSelect: () => verbs.deleteBox(index) },
      ]}
    />
  )
}
