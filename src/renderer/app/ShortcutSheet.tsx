import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'
import { Dialog } from '../ui/Dialog.tsx'
import { Keys } from '../ui/Keys.tsx'
import { bindingsOf, type Command, useAllCommands } from './commands.ts'
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
  const linesOf = (group: string) => commands.filter((command) => command.group === group)
  return (
    <div className={styles.sheet}>
      {inColumns(groups, (group) => linesOf(group).length + 2).map((column, i) => (
        <div key={i} className={styles.column}>
          {column.map((group) => (
            <section key={group}>
              <h3 className="t12 strong">{group}</h3>
              <dl>
                {linesOf(group).map((command) => (
                  <div key={command.id} className={styles.line}>
                    <dt className="trunc">{command.title}</dt>
                    <dd>{shownBindings(command).map((binding) => <Keys key={binding} of={binding} />)}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
      ))}
    </div>
  )
}

/** The four arrows with all their modifiers would fill the sheet: the plain ones tell enough. */
function shownBindings(command: Command): readonly string[] {
  const all = bindingsOf(command)
  if (all.length <= 3) return all
  const plain = all.filter((binding) => !binding.includes('+'))
  return (plain.length > 0 ? plain : all).slice(0, 4)
}

/** Whole groups in two columns of nearly equal height, in order. */
function inColumns<T>(groups: readonly T[], heightOf: (group: T) => number): readonly (readonly T[])[] {
  const total = groups.reduce((sum, group) => sum + heightOf(group), 0)
  let height = 0
  const split = groups.findIndex((group) => (height += heightOf(group)) >= total / 2)
  return [groups.slice(0, split + 1), groups.slice(split + 1)]
}
