import styles from './compare.module.css'

/** The plate that names a side: A grey, B in the colour of the one in question. */
export function Letter({ of }: { of: 'A' | 'B' }) {
  return <span className={of === 'A' ? styles.plateA : styles.plateB}>{of}</span>
}
