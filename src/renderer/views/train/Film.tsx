import { Pause, Play } from 'lucide-react'
import { useEffect, useState } from 'react'
import { t } from '../../../shared/messages/messages.ts'
import { count, fixed, percent } from '../../app/format.ts'
import type { Api } from '../../state/engine.ts'
import { HeatThumb } from '../../ui/HeatThumb.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { Slider } from '../../ui/Slider.tsx'
import { heatWords } from './curves.ts'
import styles from './train.module.css'

type ProbeData = Awaited<ReturnType<Api['runs']['probes']>>
const FRAME_MS = 400

/** All probe samples at one validation; a slider goes through the validations, by hand or by itself. */
export function Film({ probes }: { probes: ProbeData }) {
  const last = probes.frames.length - 1
  /** Null: the newest, also when another one comes. */
  const [chosen, setChosen] = useState<number | null>(null)
  const [playing, setPlaying] = useState(false)
  const at = Math.min(chosen ?? last, last)
  useEffect(() => {
    if (!playing) return
    const timer = window.setTimeout(() => {
      if (at >= last) return setPlaying(false)
      setChosen(at + 1)
    }, FRAME_MS)
    return () => window.clearTimeout(timer)
  }, [playing, at, last])
  const frame = probes.frames[at]!
  const hits = frame.heat.filter((heat) => heat.pointingHit).length
  const toggle = () => {
    if (!playing && at >= last) setChosen(0)
    setPlaying(!playing)
  }
  return (
    <div className={styles.film}>
      <div className={styles.filmBar}>
        <IconButton size="s" icon={playing ? Pause : Play} label={playing ? t('Pause the film') : t('Play the film')} onClick={toggle} />
        <Slider label={t('Validation')} min={0} max={Math.max(1, last)} step={1} value={at} disabled={last === 0} valueText={t('step {step}', { step: count(frame.step) })} onChange={(value) => { setPlaying(false); setChosen(value) }} />
        <span className="t12 nowrap" data-testid="film-step">{t('Step {step}', { step: count(frame.step) })}</span>
        <span className="t12 c2 nowrap">{t('{share} hit', { share: percent(hits / Math.max(1, frame.heat.length)) })}</span>
      </div>
      <div className={styles.filmFrames} tabIndex={0} role="region" aria-label={t('Heat of the probe samples at step {step}', { step: count(frame.step) })}>
        {probes.samples.map((sample, i) => {
          const heat = frame.heat[i]
          return heat ? (
            <figure key={sample.regionId} className={styles.filmFrame}>
              <span className={styles.cell}>
                <HeatThumb imageId={sample.imageId} image={sample} grid={heat.grid} peak={heat.peak} boxes={sample.boxes} label={heatWords(sample.phrase, frame.step, heat)} />
                <span className={styles.cellValue} aria-hidden="true">{fixed(heat.insideEnergy)}</span>
              </span>
              <figcaption className="t12 trunc" title={sample.phrase}>{sample.phrase}</figcaption>
            </figure>
          ) : null
        })}
      </div>
    </div>
  )
}
