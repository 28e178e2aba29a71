import { letter } from '../../../shared/charts/captions.ts'
import { cx } from '../../ui/cx.ts'
import styles from './compare.module.css'

const PLATES = [styles.plateA, styles.plateB, styles.plateC, styles.plateD]

/** The plate that names a side by its place: A grey, the others in the colour they have everywhere. */
export function Letter({ of }: { of: number }) {
  return <span className={cx(styles.plate, PLATES[of])}>{letter(of)}</span>
}
