import type { Api } from '../../state/engine.ts'
import styles from './library.module.css'

type SampleData = Awaited<ReturnType<Api['datasets']['preview']>>['samples'][number]

/** One picture of the preview with its boxes, in a frame of 4:3; the drawing scales with it. */
export function Sample({ sample }: { sample: SampleData }) {
  // Lines are 2 px at the shown width of about 75 px; the casing keeps them legible on any photograph.
  const unit = Math.max(sample.width, (sample.height * 4) / 3) / 75
  return (
    <figure className={styles.sample} title={sample.phrase}>
      <svg viewBox={`0 0 ${sample.width} ${sample.height}`} preserveAspectRatio="xMidYMid meet" role="img" aria-label={sample.phrase}>
        <image href={sample.thumb} width={sample.width} height={sample.height} preserveAspectRatio="none" />
        {sample.boxes.map((box, i) => (
          <g key={i} fill="none">
            <rect x={box[0]} y={box[1]} width={Math.max(0, box[2] - box[0])} height={Math.max(0, box[3] - box[1])} stroke="var(--ink-halo)" strokeWidth={unit * 3} />
            <rect x={box[0]} y={box[1]} width={Math.max(0, box[2] - box[0])} height={Math.max(0, box[3] - box[1])} stroke="var(--box-truth)" strokeWidth={unit * 1.5} />
          </g>
        ))}
      </svg>
      <figcaption className="trunc">{sample.phrase}</figcaption>
    </figure>
  )
}
