import { Crosshair, ImageOff, Plus, RotateCcw, X } from 'lucide-react'
import { type ReactNode, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { Checkpoint } from '../../../shared/domain.ts'
import { t } from '../../../shared/messages/messages.ts'
import { count, fixed, percent } from '../../app/format.ts'
import { CanvasPane } from '../../canvas/CanvasPane.tsx'
import { type HeatScale, heatCanvas } from '../../canvas/heat.ts'
import { Button } from '../../ui/Button.tsx'
import { Input } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { IconButton } from '../../ui/IconButton.tsx'
import { Keys } from '../../ui/Keys.tsx'
import { Menu } from '../../ui/Menu.tsx'
import { EmptyState, ErrorNote, Loading } from '../../ui/Notes.tsx'
import { Select } from '../../ui/Select.tsx'
import { Tag } from '../../ui/Tag.tsx'
import { BoxReadout } from './BoxReadout.tsx'
import { Minimap } from './Minimap.tsx'
import { bestGrid } from './pane-grid.ts'
import type { HeatAnswer } from './use-heat.ts'
import type { FreeOffers } from './use-free-offers.ts'
import { sharedScale, useShownHeats } from './use-shown-heats.ts'
import type { Workbench } from './workbench.ts'
import styles from './canvases.module.css'

const CHROME_PX = 72
const FADE_MS = 120
/** Heat of an earlier phrase, until that of the present one is there, is drawn this much weaker. */
const STALE_SHARE = 0.35

/** The photograph and its heat beside it, one camera for all; stacked where that draws the image larger. */
export function Canvases({ work }: { work: Workbench }) {
  const { prefs, image, chosen, picture } = work
  const heats = useShownHeats(work)
  const area = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })
  useLayoutEffect(() => {
    const element = area.current
    if (!element) return
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight })
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    measure()
    return () => observer.disconnect()
  }, [])

  const heatPanes = prefs.layout === 'side-by-side' ? Math.max(1, chosen.length) : 0
  const panes = 1 + heatPanes
  const grid = bestGrid(panes, size, CHROME_PX, image ? image.width / image.height : 1)
  const scale: HeatScale = prefs.shared ? sharedScale(heats) : 'own'
  const overlay = prefs.layout === 'overlay'
  return (
    <div ref={area} className={styles.panes} style={{ gridTemplate: `repeat(${grid.rows}, minmax(0, 1fr)) / repeat(${grid.columns}, minmax(0, 1fr))` }}>
      <div className={styles.pane}>
        {overlay ? <HeatHead work={work} slot={0} /> : (
          <div className={styles.head}>
            <span className="med">{t('Image')}</span>
            {image ? <span className="c3">{image.width} × {image.height}</span> : null}
            <span className="grow" />
            <span className={styles.key}><i className={styles.truth} />{t('annotated')}</span>
            {work.proposing ? <span className={styles.key}><i className={styles.proposed} />{t('proposed')}</span> : null}
          </div>
        )}
        <PaneBody work={work} pane={overlay ? 'overlay' : 'image'} answer={overlay ? heats[0] : undefined} scale={scale} handles label={overlay ? t('Image with heat') : t('Image')}>
          {picture.failed ? (
            <div className={styles.cover}><EmptyState icon={ImageOff} title={t('This image cannot be shown')} actions={<Button size="s" icon={RotateCcw} onClick={picture.retry}>{t('Try again')}</Button>}>{t('The file is missing or damaged. Its annotations are safe.')}</EmptyState></div>
          ) : work.imageError ? (
            <div className={styles.cover}><ErrorNote error={work.imageError} title={t('The sample could not be read')} /></div>
          ) : null}
        </PaneBody>
        <div className={styles.foot}>{overlay ? <FreePhrase work={work} /> : <BoxReadout work={work} />}</div>
      </div>
      {Array.from({ length: heatPanes }, (_, slot) => (
        <div key={slot} className={styles.pane}>
          <HeatHead work={work} slot={slot} />
          {chosen.length === 0 ? (
            <div className={styles.body}><div className={styles.cover}><EmptyState icon={Crosshair} title={t('No checkpoint yet')}>{t('Train one, or import one under Checkpoints. Its heat then appears here.')}</EmptyState></div></div>
          ) : (
            <PaneBody work={work} pane={`heat-${slot + 1}`} answer={heats[slot]} scale={scale} handles={false} label={chosen[slot] ? t('Heat of {checkpoint}', { checkpoint: chosen[slot].name }) : t('Heat of the checkpoint')} />
          )}
          <div className={styles.foot}>{slot === 0 ? <FreePhrase work={work} /> : <HeatFacts answer={heats[slot]} />}</div>
        </div>
      ))}
      {Array.from({ length: Math.max(0, grid.columns * grid.rows - panes) }, (_, i) => <div key={`empty-${i}`} className={styles.pane} />)}
    </div>
  )
}

function PaneBody({ work, pane, answer, scale, handles, label, children }: { work: Workbench; pane: string; answer: HeatAnswer | undefined; scale: HeatScale; handles: boolean; label: string; children?: ReactNode }) {
  const { prefs, image, picture, scene } = work
  const heat = answer?.heat ?? null
  const scaleKey = scale === 'own' ? 'own' : `${scale.low} ${scale.high}`
  const canvas = useMemo(() => (heat && image ? heatCanvas(heat.grid, image, { map: prefs.map, scale }) : null), [heat, image, prefs.map, scaleKey])
  const region = work.region
  const stale = heat !== null && (answer?.stale === true || work.isTyping)
  const size = image ? t('{width} by {height} pixels', { width: String(image.width), height: String(image.height) }) : t('loading')
  const words = region ? t('{pane}, {size}, “{phrase}” with {n, plural, one {# box} other {# boxes}}', { pane: label, size, phrase: region.phrase, n: region.boxes.length }) : t('{pane}, {size}', { pane: label, size })
  return (
    <div className={styles.body} data-stale={stale || undefined} data-heat={heat ? heat.phrase : undefined} data-checkpoint={heat?.checkpointId}>
      <CanvasPane
        scene={scene} pane={pane} label={words} image={image ? picture.image : null} tiles={work.tiles} heat={canvas} heatOpacity={stale ? prefs.opacity * STALE_SHARE : prefs.opacity} brightness={prefs.brightness} contrast={prefs.contrast} gamma={prefs.gamma}
        peak={prefs.peak && heat && !stale ? heat.peak : null} peakBoxes={work.freeState === 'none' ? undefined : work.proposals} handles={handles} fadeMs={reducedMotion() ? 0 : FADE_MS}
      />
      {children}
      {work.isCutting && image ? <div className={styles.waiting}><Loading>{t('Preparing {n} megapixels; this is done once', { n: count(Math.round((image.width * image.height) / 1e6)) })}</Loading></div> : null}
      {work.prefs.minimap && image && handles ? <Minimap scene={scene} pane={pane} imageId={image.id} /> : null}
      {pane === 'heat-1' || pane === 'overlay' ? <FreeScores offers={work.freeOffers} /> : null}
      {answer && answer.error && (!heat || answer.stale) ? <div className={styles.cover}><ErrorNote error={answer.error} title={t('No heat for this phrase')} onRetry={answer.retry} /></div> : null}
      {answer && !work.isCutting && (heat ? stale && !answer.error : !answer.error && work.shownPhrase.trim()) ? <div className={styles.waiting}><Loading>{t('Computing the heat')}</Loading></div> : null}
      {answer && !work.shownPhrase.trim() && work.region ? <div className={styles.waiting}><span className="t12">{t('Write a phrase to see where it looks')}</span></div> : null}
    </div>
  )
}

const reducedMotion = () => window.matchMedia('(prefers-reduced-motion: reduce)').matches

/** The best of a run without a val split is its last: nothing was measured to choose it by. */
const wasValidated = (checkpoint: Checkpoint): boolean => Object.keys(checkpoint.metrics).some((name) => name.endsWith(', val'))

/** Which checkpoint looks here; another can be put beside it. */
function HeatHead({ work, slot }: { work: Workbench; slot: number }) {
  const { chosen, checkpoints, verbs } = work
  const checkpoint = chosen[slot]
  const free = checkpoints.filter((entry) => !chosen.includes(entry))
  return (
    <div className={styles.head}>
      {checkpoint ? (
        <Select
          look="quiet" size="s" label={t('Checkpoint')} testId={`checkpoint-${slot + 1}`} value={checkpoint.id}
          options={checkpoints.map((entry) => ({ value: entry.id, label: entry.name, detail: entry.best ? t('best') : entry.step === null ? '' : t('step {step}', { step: String(entry.step) }), disabled: entry !== checkpoint && chosen.includes(entry) }))}
          onChange={(id) => verbs.choose(slot, id)}
        />
      ) : <span className="med">{t('Heat')}</span>}
      {slot === 0 && work.newer ? <Button size="s" kind="ghost" data-testid="newer-checkpoint" title={t('{checkpoint} came while this screen was open', { checkpoint: work.newer.name })} onClick={() => verbs.choose(0, work.newer!.id)}>{t('Newer: {checkpoint}', { checkpoint: work.newer.step === null ? work.newer.name : t('step {step}', { step: String(work.newer.step) }) })}</Button> : null}
      {checkpoint?.best ? <span className={styles.wide}><Tag tone="line">{wasValidated(checkpoint) ? t('best val') : t('last, no val split')}</Tag></span> : null}
      <span className="grow" />
      {slot > 0 ? <IconButton size="s" icon={X} label={t('Remove this checkpoint')} onClick={() => verbs.choose(slot, null)} /> : null}
      {slot === Math.max(0, chosen.length - 1) && chosen.length < 3 && work.prefs.layout === 'side-by-side' ? (
        <Menu align="end" trigger={<IconButton size="s" icon={Plus} label={t('Add a checkpoint')} disabled={free.length === 0} />} entries={free.map((entry) => ({ label: entry.name, onSelect: () => verbs.choose(chosen.length, entry.id) }))} />
      ) : null}
    </div>
  )
}

function HeatFacts({ answer }: { answer: HeatAnswer | undefined }) {
  return <span className="trunc">{answer?.heat ? t('layer {layer} · {width} × {height} cells', { layer: String(answer.heat.layer), width: answer.heat.grid.width, height: answer.heat.grid.height }) : ''}</span>
}

/** What is proposed for the free phrase, and how good it is. */
function FreeScores({ offers: { all, index, scores } }: { offers: FreeOffers }) {
  if (!scores) return null
  const values = { match: fixed(scores.match), share: percent(scores.held) }
  return (
    <div className={styles.waiting}>
      <div className="row gap1 t12">
        <span data-testid="free-scores" aria-live="polite">
          {all.length > 1 ? t('offer {place} of {total}, at {threshold} · match {match} · boxes hold {share} of the heat', { place: index + 1, total: all.length, threshold: percent(all[index]!.threshold), ...values }) : t('match {match} · boxes hold {share} of the heat', values)}
        </span>
        {all.length > 1 ? <Keys of="ArrowUp ArrowDown" /> : null}
      </div>
    </div>
  )
}

/** Type anything, see where the model looks, make it an annotation. */
function FreePhrase({ work }: { work: Workbench }) {
  const { verbs, freePhrase, image } = work
  return (
    <>
      <Input
        className={styles.free} aria-label={t('Any phrase: see where it looks')} placeholder={t('Any phrase: see where it looks')} data-testid="free-phrase" disabled={!image || work.chosen.length === 0} value={freePhrase}
        before={<Icon of={Crosshair} size="s" />} after={freePhrase ? null : <Keys of="t" />}
        onChange={(event) => verbs.setFree(event.currentTarget.value)}
        onKeyDown={(event) => {
          // Enter and the arrows are the input method's while it composes a word.
          if (event.nativeEvent.isComposing) return
          if (event.key === 'Enter' && freePhrase.trim()) {
            verbs.annotateFree()
            event.currentTarget.blur()
          } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && work.freeOffers.all.length > 1) work.freeOffers.step(event.key === 'ArrowDown' ? 1 : -1)
          else if (event.key === 'Escape') {
            verbs.setFree('')
            event.currentTarget.blur()
          } else return
          event.preventDefault()
        }}
      />
      {freePhrase ? (
        <>
          <Button size="s" keys="Enter" onClick={verbs.annotateFree} data-testid="annotate-free">{work.freeState === 'ready' && work.proposals.length > 0 ? t('Add with boxes') : t('Add')}</Button>
          <IconButton size="s" icon={X} label={t('Back to the phrase in hand')} onClick={() => verbs.setFree('')} />
        </>
      ) : null}
    </>
  )
}
