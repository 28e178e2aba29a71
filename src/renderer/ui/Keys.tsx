import { keyCaps } from '../app/keys.ts'
import styles from './keys.module.css'

/** Key caps of a binding in tinykeys syntax, one cap a key. */
export function Keys({ of: binding }: { of: string }) {
  return (
    <span className={styles.keys} aria-hidden="true">
      {keyCaps(binding).map((cap, i) => <kbd key={i} className={styles.cap}>{cap}</kbd>)}
    </span>
  )
}
