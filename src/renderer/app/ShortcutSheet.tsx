import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'
import { Dialog } from '../ui/Dialog.tsx'
import { Keys } from '../ui/Keys.tsx'
import { bindingsOf, useAllCommands } from './commands.ts'
import styles from './shortcuts.module.css'

const store = createStore<{ open: boolean }>(() => ({ open: false }))
export function openShortcuts(): void {
  store.setState({ open: true })
}

/** All keys that work here and now, from the same registry that the keyboard obeys. */
export function ShortcutSheet() {
  const open = useStore(store, (state) => state.open)
  return (
    <Dialog open={open} onClose={() => store.setState({ open: false })} title="Keyboard shortcuts" description="Single letters rest while a field has focus." width="wide" closable>
      <Sheet />
    </Dialog>
  )
}

function Sheet() {
  const commands = useAllCommands().filter((command) => bindingsOf(command).length > 0)
  const groups = [...new Set(commands.map((command) => command.group))].reverse()
  return (
    <div className={styles.sheet}>
      {groups.map((group) => (
        <section key={group} className={styles.group}>
          <h3 className="t12 strong">{group}</h3>
          <dl>
            {commands.filter((command) => command.group === group).map((command) => (
              <div key={command.id} className={styles.line}>
                <dt className="trunc">{command.title}</dt>
                <dd>{bindingsOf(command).map((binding) => <Keys key={binding} of={binding} />)}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  )
}
