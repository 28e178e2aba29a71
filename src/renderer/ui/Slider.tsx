import { cx } from './cx.ts'
import styles from './slider.module.css'

export interface SliderProps {
  readonly label: string
  readonly value: number
  readonly min?: number
  readonly max?: number
  readonly step?: number
  readonly onChange: (value: number) => void
  /** Spoken instead of the bare number, e.g. "80 %". */
  readonly valueText?: string
  readonly disabled?: boolean
  readonly className?: string
}

/** The browser's own range input in our look: it brings keyboard and assistive technology with it. */
export function Slider({ label, value, min = 0, max = 1, step = 0.01, onChange, valueText, disabled = false, className }: SliderProps) {
  const share = max > min ? ((value - min) / (max - min)) * 100 : 0
  return (
    <input
      type="range" aria-label={label} aria-valuetext={valueText} className={cx(styles.slider, className)} min={min} max={max} step={step} value={value} disabled={disabled}
      style={{ '--v': `${share}%` } as React.CSSProperties}
      onChange={(event) => onChange(event.currentTarget.valueAsNumber)}
    />
  )
}
