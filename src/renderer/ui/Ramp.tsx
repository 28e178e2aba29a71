import styles from './ramp.module.css'

/** The legend of a heat scale with its end values. */
export function Ramp({ low = '0', high = '1', map = 'default', widthPx = 64 }: { low?: string; high?: string; map?: 'default' | 'difference'; widthPx?: number }) {
  return (
    <span className={styles.legend}>
      <span>{low}</span>
      <span className={map === 'difference' ? styles.difference : styles.heat} style={{ width: widthPx }} aria-hidden="true" />
      <span>{high}</span>
    </span>
  )
}
