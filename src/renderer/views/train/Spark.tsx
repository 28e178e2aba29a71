/** The last two minutes of a share (0 to 1) as a small line. */
export function Spark({ values, label }: { values: readonly number[]; label: string }) {
  const width = 200
  const height = 24
  const points = values.map((value, i) => `${((i + Math.max(0, 60 - values.length)) / 59) * width} ${height - 1 - Math.min(1, Math.max(0, value)) * (height - 2)}`)
  const line = points.length > 1 ? `M${points.join('L')}` : ''
  const first = points[0]?.split(' ')[0]
  return (
    <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" width="100%" height={height} role="img" aria-label={label} style={{ display: 'block' }}>
      <path d={`M0 ${height - 0.5}H${width}`} stroke="var(--grid-line)" vectorEffect="non-scaling-stroke" />
      {line ? <path d={`${line}L${width} ${height}L${first} ${height}Z`} fill="var(--text-2)" opacity="0.12" /> : null}
      {line ? <path d={line} fill="none" stroke="var(--text-2)" strokeWidth="1.25" vectorEffect="non-scaling-stroke" /> : null}
    </svg>
  )
}
