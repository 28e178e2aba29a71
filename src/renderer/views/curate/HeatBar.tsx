import { t } from '../../../shared/messages/messages.ts'
import { COLOUR_MAPS, type ColourMap, mapGradient } from '../../canvas/colour-maps.ts'
import { measured, percent } from '../../app/format.ts'
import { Checkbox } from '../../ui/Checkbox.tsx'
import { ExplainerChoice } from '../../ui/ExplainerChoice.tsx'
import { Select } from '../../ui/Select.tsx'
import { Slider } from '../../ui/Slider.tsx'
import { setPrefs } from './prefs.ts'
import { MAX_THRESHOLD, MIN_THRESHOLD } from './propose.ts'
import { sharedScale, useShownHeats } from './use-shown-heats.ts'
import type { Workbench } from './workbench.ts'
import styles from './curate.module.css'

const MAP_NAMES = COLOUR_MAPS.map((map) => ({ value: map, label: map[0]!.toUpperCase() + map.slice(1) }))

/** The legend, always with its end values and whose scale it is, and how heat is drawn. */
export function HeatBar({ work }: { work: Workbench }) {
  const { prefs } = work
  const heats = useShownHeats(work)
  const heat = heats[0]?.heat ?? null
  const range = prefs.shared ? sharedScale(heats) : null
  if (prefs.layout === 'image-only') return null
  return (
    <>
    <div className={styles.heatbar}>
      <span className={styles.legend} role="img" aria-label={range ? t('Shared scale from {low} to {high}', { low: measured(range.low), high: measured(range.high) }) : t('Own scale from 0 to 1')}>
        <span>{range ? measured(range.low) : '0'}</span>
        <span className={styles.ramp} style={{ background: mapGradient(prefs.map) }} />
        <span>{range ? measured(range.high) : '1.00'}</span>
      </span>
      <Select look="soft" size="s" label={t('Scale')} value={prefs.shared ? 'shared' : 'own'} options={[{ value: 'own', label: t('Own scale') }, { value: 'shared', label: t('Shared scale') }]} onChange={(value) => setPrefs({ shared: value === 'shared' })} />
      <span className={styles.map}><Select<ColourMap> look="soft" size="s" label={t('Colour map')} value={prefs.map} options={MAP_NAMES} onChange={(map) => setPrefs({ map })} /></span>
      <span className={styles.opacity}>
        <span className="c2">{t('Opacity')}</span>
        <Slider label={t('Heat opacity')} value={prefs.opacity} valueText={percent(prefs.opacity)} onChange={(opacity) => setPrefs({ opacity })} />
        <span className="num">{percent(prefs.opacity)}</span>
      </span>
      {work.proposing ? (
        <span className={styles.opacity}>
          <span className="c2">{t('Threshold')}</span>
          <Slider label={t('Proposal threshold')} min={MIN_THRESHOLD} max={MAX_THRESHOLD} value={prefs.threshold} valueText={percent(prefs.threshold)} onChange={(threshold) => setPrefs({ threshold })} />
          <span className="num">{percent(prefs.threshold)}</span>
        </span>
      ) : null}
      <span className="grow" />
      <span className={styles.peak}><Checkbox small checked={prefs.peak} onChange={(peak) => setPrefs({ peak })}>{t('Peak')}</Checkbox></span>
      {heat && !work.proposing ? <span className={styles.cells}>{t('layer {layer} · {width} × {height} cells', { layer: String(heat.layer), width: heat.grid.width, height: heat.grid.height })}</span> : null}
    </div>
    <ExplainerChoice value={prefs.explainer} onChange={(explainer) => setPrefs({ explainer })} aside={t('Scores and proposals stay those of Grad-CAM (AMC).')} />
    </>
  )
}
