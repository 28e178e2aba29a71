import { Dialog } from '@base-ui/react/dialog'
import { Command as Cmdk } from 'cmdk'
import { Search } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'
import { t } from '../../shared/messages/messages.ts'
import { Icon } from '../ui/Icon.tsx'
import { Keys } from '../ui/Keys.tsx'
import { bindingsOf, type Command, useAllCommands } from './commands.ts'
import { matchScore } from './match.ts'
import styles from './palette.module.css'

const store = createStore<{ open: boolean }>(() => ({ open: false }))
export function openPalette(): void {
  store.setState({ open: true })
}
const close = () => store.setState({ open: false })

/** Every command that is there now, found by typing; the screen's own come first. */
export function CommandPalette() {
  const open = useStore(store, (state) => state.open)
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && close()}>
      <Dialog.Portal>
        <Dialog.Backdrop className={styles.scrim} />
        <Dialog.Popup className={styles.palette} aria-label={t('Search or run')}>
          <Palette />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function Palette() {
  const commands = useAllCommands().filter((command) => !command.hidden && command.enabled !== false)
  // Effects of parents run last: the shell's commands are registered before a screen's, so the screen's stand at the end.
  const groups = [...new Set(commands.map((command) => command.group))].sort((a, b) => rank(a) - rank(b))
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => input.current?.focus(), [])
  const choose = (command: Command) => {
    close()
    // After the dialog has given focus back, so that a command may move it on.
    window.setTimeout(() => command.run(), 0)
  }
  return (
    <Cmdk label={t('Search or run')} loop filter={(_, search, keywords) => matchScore(search, keywords ?? [])}>
      <div className={styles.input}>
        <Icon of={Search} />
        <Cmdk.Input ref={input} placeholder={t('Search commands, datasets, checkpoints')} />
      </div>
      <Cmdk.List className={styles.list}>
        <Cmdk.Empty className={styles.empty}>{t('Nothing has this name. Try fewer letters.')}</Cmdk.Empty>
        {groups.map((group) => (
          <Cmdk.Group key={group} heading={group} className={styles.group}>
            {commands.filter((command) => command.group === group).map((command) => (
              <Cmdk.Item key={command.id} value={command.id} keywords={[command.title, command.group, command.detail ?? '']} onSelect={() => choose(command)} className={styles.item}>
                {command.icon ? <Icon of={command.icon} /> : <span />}
                <span className="trunc">{command.title}</span>
                {command.detail ? <span className="t12 c3">{command.detail}</span> : bindingsOf(command)[0] ? <Keys of={bindingsOf(command)[0]!} exact /> : <span />}
              </Cmdk.Item>
            ))}
          </Cmdk.Group>
        ))}
      </Cmdk.List>
    </Cmdk>
  )
}

const LAST = [t('Go to'), t('Open', undefined, 'group'), t('Everywhere')]
function rank(group: string): number {
  return LAST.indexOf(group)
}
