import { shownBinding } from '../app/commands.ts'
import { useKeymap } from '../app/keymap.ts'
import { keyCaps } from '../app/keys.ts'
import styles from './keys.module.css'

/**
 * Key caps of a binding in tinykeys syntax, one cap a key. They are drawn, not text: the name of a button is its words alone. A hint
 * names the default key and shows the one its command has now; `exact` shows the binding itself.
 */
export function Keys({ of: binding, exact = false }: { of: string; exact?: boolean }) {
  useKeymap()
  const shown = exact ? binding : binding.split(' ').map(shownBinding).filter((one) => one !== null).join(' ')
  if (shown === '') return null
  return (
    <span className={styles.keys} aria-hidden="true">
      {keyCaps(shown).map((cap, i) => <kbd key={i} className={styles.cap} data-cap={cap} />)}
    </span>
  )
}
