import { Popover } from '@base-ui/react/popover'
import { Contrast, RotateCcw, RotateCw } from 'lucide-react'
import { useStore } from 'zustand'
import { t } from '../../../shared/messages/messages.ts'
import { percent } from '../../app/format.ts'
import { Button } from '../../ui/Button.tsx'
import { Checkbox } from '../../ui/Checkbox.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { Slider } from '../../ui/Slider.tsx'
import { SHADE_RANGE, setPrefs } from './prefs.ts'
import type { Workbench } from './workbench.ts'
import styles from './curate.module.css'

const SHADES = [['brightness', t('Brightness')], ['contrast', t('Contrast')], ['gamma', t('Gamma')]] as const

/** How the picture is looked at. Nothing here changes a file or a coordinate. */
export function PictureMenu({ work }: { work: Workbench }) {
  const { prefs, scene } = work
  const turn = useStore(scene.store, (state) => state.camera.turn ?? 0)
  const shaded = SHADES.some(([name]) => prefs[name] !== 1)
  return (
    <Popover.Root>
      <Popover.Trigger render={<IconButton icon={Contrast} label={t('Picture')} hint={t('Picture: brightness, turn, guides')} pressed={shaded || turn !== 0} />} />
      <Popover.Portal>
        <Popover.Positioner sideOffset={4} align="end" className={styles.positioner}>
          <Popover.Popup className={styles.popover} aria-label={t('Picture')}>
            {SHADES.map(([name, label]) => (
              <label key={name} className={styles.sliderRow}>
                <span>{label}</span>
                <Slider label={label} {...SHADE_RANGE} step={0.05} value={prefs[name]} valueText={name === 'gamma' ? prefs.gamma.toFixed(2) : percent(prefs[name])} onChange={(value) => setPrefs({ [name]: value })} />
                <span className="num">{name === 'gamma' ? prefs.gamma.toFixed(2) : percent(prefs[name])}</span>
              </label>
            ))}
            <div className={styles.turnRow}>
              <span>{t('Turned')}</span>
              <span className="num" data-testid="turn">{turn * 90}°</span>
              <span className="grow" />
              <IconButton size="s" icon={RotateCcw} label={t('Turn the view left')} keys="Shift+r" onClick={() => scene.rotate(-1)} />
              <IconButton size="s" icon={RotateCw} label={t('Turn the view right')} keys="r" onClick={() => scene.rotate(1)} />
            </div>
            <div className={styles.checks}>
              <Checkbox small checked={prefs.guides} onChange={(guides) => setPrefs({ guides })}>{t('Crosshair through the pointer')}</Checkbox>
              <Checkbox small checked={prefs.names} onChange={(names) => setPrefs({ names })}>{t('Names at the boxes')}</Checkbox>
              <Checkbox small checked={prefs.minimap} onChange={(minimap) => setPrefs({ minimap })}>{t('Overview while zoomed in')}</Checkbox>
            </div>
            <div className={styles.popoverFoot}>
              <span className="hint">{t('Shown only; files stay as they are.')}</span>
              <Button size="s" kind="ghost" disabled={!shaded && turn === 0} onClick={() => (setPrefs({ brightness: 1, contrast: 1, gamma: 1 }), scene.rotate(-turn))}>{t('Reset')}</Button>
            </div>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}
