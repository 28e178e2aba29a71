import { keyCaps } from '../app/keys.ts'
import styles from './keys.module.css'

/** Key caps of a binding in tinykeys syntax, one cap a key. They are drawn, not text: the name of a button is its words alone. */
export function Keys({ of: binding }: { of: string }) {
  return (
    <span className={styles.keys} aria-hidden="true">
      {keyCaps(binding).map((cap, i) => <kbd key={i} className={styles.cap} data-cap={cap} />)}
    </span>
  )
}
