import { ChevronDown, Columns2, Hand, Magnet, MousePointer2, Pentagon, Redo2, Scan, Sparkles, Undo2, VectorSquare } from 'lucide-react'
import { useLayoutEffect, useRef } from 'react'
import { useStore } from 'zustand'
import { t } from '../../../shared/messages/messages.ts'
import { percent } from '../../app/format.ts'
import type { Scene } from '../../canvas/scene.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { Menu } from '../../ui/Menu.tsx'
import { Segmented } from '../../ui/Segmented.tsx'
import { useUndoLabels } from './edits.ts'
import { PictureMenu } from './PictureMenu.tsx'
import { type CanvasLayout, setPrefs } from './prefs.ts'
import type { Workbench } from './workbench.ts'
import styles from './curate.module.css'

const TOOLS = [
  { tool: 'select', icon: MousePointer2, label: t('Select'), keys: 'v' },
  { tool: 'draw', icon: VectorSquare, label: t('Draw box'), keys: 'b' },
  { tool: 'polygon', icon: Pentagon, label: t('Draw outline'), keys: 'Shift+p' },
  { tool: 'pan', icon: Hand, label: t('Pan'), keys: 'h' },
] as const

const LAYOUT_NAMES: readonly { readonly value: CanvasLayout; readonly label: string }[] = [
  { value: 'side-by-side', label: t('Side by side') }, { value: 'overlay', label: t('Overlay') }, { value: 'image-only', label: t('Image only') },
]

export function Toolbar({ work }: { work: Workbench }) {
  const { scene, prefs, verbs } = work
  const tool = useStore(scene.store, (state) => state.tool)
  const stays = useStore(scene.store, (state) => state.toolStays)
  const { undoLabel, redoLabel } = useUndoLabels()
  return (
    <div className={styles.toolbar} role="toolbar" aria-label={t('Canvas tools')}>
      {TOOLS.map((entry) => <IconButton key={entry.tool} icon={entry.icon} label={entry.label} keys={entry.keys} {...(tool === entry.tool && stays ? { hint: t('{tool}, until another tool is taken', { tool: entry.label }) } : {})} pressed={tool === entry.tool} onClick={() => scene.setTool(entry.tool)} onDoubleClick={() => scene.setTool(entry.tool, true)} />)}
      <IconButton icon={Magnet} label={t('Snap to image edge')} keys="s" pressed={prefs.snap} onClick={() => setPrefs({ snap: !prefs.snap })} />
      <span className={styles.sep} />
      <IconButton icon={Undo2} label={t('Undo')} hint={undoLabel ? t('Undo: {edit}', { edit: undoLabel }) : t('Nothing to undo')} keys="$mod+z" disabled={undoLabel === null} onClick={verbs.undo} />
      <IconButton icon={Redo2} label={t('Redo')} hint={redoLabel ? t('Redo: {edit}', { edit: redoLabel }) : t('Nothing to redo')} keys="$mod+Shift+z" disabled={redoLabel === null} onClick={verbs.redo} />
      <span className={styles.sep} />
      <Button className={styles.propose} size="s" icon={Sparkles} keys="p" aria-label={t('Propose boxes')} disabled={!work.heat.heat} aria-pressed={work.proposing} onClick={verbs.toggleProposals}>{t('Propose boxes')}</Button>
      <span className="grow" />
      <span className={styles.wide}><Segmented label={t('View')} value={prefs.layout} options={LAYOUT_NAMES} onChange={(layout) => setPrefs({ layout })} /></span>
      <span className={styles.narrow}>
        <Menu align="end" trigger={<button type="button" className={styles.softButton}><span className="visually-hidden">{t('View')} </span><span className={styles.layoutName}>{LAYOUT_NAMES.find((entry) => entry.value === prefs.layout)!.label}</span><Icon of={Columns2} size="s" /><Icon of={ChevronDown} size="xs" /></button>}
          entries={LAYOUT_NAMES.map((entry) => ({ label: entry.label, onSelect: () => setPrefs({ layout: entry.value }) }))} />
      </span>
      <span className={styles.sep} />
      <PictureMenu work={work} />
      <IconButton className={styles.toRegion} icon={Scan} label={t('Zoom to region')} keys="z" disabled={!work.region} onClick={scene.zoomToRegion} />
      <Zoom scene={scene} />
    </div>
  )
}

/** The zoom is written past React: it changes with every notch of the wheel. */
function Zoom({ scene }: { scene: Scene }) {
  const text = useRef<HTMLSpanElement>(null)
  const word = useRef<HTMLSpanElement>(null)
  useLayoutEffect(() => {
    const write = () => {
      const { camera, cameraMode } = scene.store.getState()
      if (text.current) text.current.textContent = percent(camera.scale)
      if (word.current) word.current.textContent = cameraMode === 'fit' ? t('Fit') : t('Zoom')
    }
    write()
    return scene.subscribe(write)
  }, [scene])
  return (
    <Menu
      align="end"
      trigger={<button type="button" className={styles.zoom} data-testid="zoom"><span className="visually-hidden">{t('Zoom')} </span><span ref={word}>{t('Fit')}</span><span ref={text} className="c3" /></button>}
      entries={[
        { label: t('Fit the image'), keys: '0', onSelect: scene.fit },
        { label: t('Zoom to region'), keys: 'z', onSelect: scene.zoomToRegion },
        null,
        { label: '100 %', keys: '1', onSelect: () => scene.zoomTo(1) },
        { label: '200 %', onSelect: () => scene.zoomTo(2) },
        { label: '400 %', onSelect: () => scene.zoomTo(4) },
      ]}
    />
  )
}
