import { ArrowLeftRight } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { letter } from '../../../shared/charts/captions.ts'
import type { Size } from '../../../shared/geometry.ts'
import { t } from '../../../shared/messages/messages.ts'
import { type Camera, fitCamera, keepVisible, panBy, wheelFactor, zoomAt } from '../../canvas/camera.ts'
import { INK } from '../../canvas/ink.ts'
import { imageUrl } from '../../state/queries.ts'
import { cx } from '../../ui/cx.ts'
import { Icon } from '../../ui/Icon.tsx'
import { useImage } from '../../ui/use-image.ts'
import { drawSide, heatLayers, type Mode, prepareCanvas, type Scene } from './draw-pair.ts'
import { Letter } from './Letter.tsx'
import type { Pair } from './use-pair.ts'
import { useSize } from './use-size.ts'
import styles from './compare.module.css'

const BLINK_MS = 700
const KEY_STEP = 0.04

interface Look {
  readonly camera: Camera | null
  readonly cut: number
}

interface PairStageProps {
  readonly imageId: string
  readonly pair: Pair
  readonly mode: Mode
  readonly shared: boolean
  readonly paused: boolean
  readonly names: readonly [string, string]
  readonly places: readonly [number, number]
  /** From the address; a change made elsewhere, as by a link, is followed. */
  readonly start: Look
  /** Told when the hand rests. */
  readonly onLook: (look: Look) => void
}

const REST_MS = 250

/** What the first canvas shows. */
const SAID: Readonly<Record<Mode, (of: { readonly a: string; readonly b: string; readonly shown: string; readonly name: string }) => string>> = {
  side: ({ a, name }) => t('Heat of {letter}, {name}', { letter: a, name }),
  wipe: ({ a, b }) => t('Heat of {a} left and {b} right of the wipe', { a, b }),
  blink: ({ shown }) => t('Heat of {letter}', { letter: shown }),
  difference: ({ a, b }) => t('Difference of the heat, {b} minus {a}', { a, b }),
}

/** The pair under one camera: wheel zooms at the pointer, dragging pans (or moves the wipe), a double click fits. */
export function PairStage({ imageId, pair, mode, shared, paused, names, places, start, onLook }: PairStageProps) {
  const host = useRef<HTMLDivElement>(null)
  const canvasA = useRef<HTMLCanvasElement>(null)
  const canvasB = useRef<HTMLCanvasElement>(null)
  const whole = useSize(host)
  const [{ camera, cut }, setLook] = useState<Look>(start)
  const setCamera = (next: Camera | null) => setLook((old) => ({ ...old, camera: next }))
  const [showB, setShowB] = useState(true)
  const { image: photograph, failed } = useImage(imageUrl(imageId))
  const image = pair.image
  // Side by side or one above the other: whichever draws the image larger.
  const beside = mode === 'side' && image !== null && besideIsLarger(image, whole)
  const viewport: Size = useMemo(() => (mode !== 'side' ? whole : beside ? { width: (whole.width - 1) / 2, height: whole.height } : { width: whole.width, height: (whole.height - 1) / 2 }), [mode, beside, whole])
  const fitted = useMemo(() => (image ? fitCamera(image, viewport) : null), [image, viewport])
  const shown = camera ?? fitted
  const told = useRef(JSON.stringify(start))
  const asked = JSON.stringify(start)
  const looked = JSON.stringify({ camera, cut })
  useEffect(() => {
    if (asked === told.current) return
    told.current = asked
    setLook(start)
  }, [asked])
  useEffect(() => {
    if (looked === told.current) return
    const timer = window.setTimeout(() => {
      told.current = looked
      onLook({ camera, cut })
    }, REST_MS)
    return () => window.clearTimeout(timer)
  }, [looked])
  useEffect(() => {
    if (mode !== 'blink' || paused) return
    const timer = window.setInterval(() => setShowB((old) => !old), BLINK_MS)
    return () => window.clearInterval(timer)
  }, [mode, paused])

  const layers = useMemo(() => (image ? heatLayers(image, pair.heatA, pair.heatB, shared, mode === 'difference') : null), [image, pair.heatA, pair.heatB, shared, mode])
  const { shape } = pair
  useEffect(() => {
    if (!image || !photograph || !shown || !layers || viewport.width <= 0 || viewport.height <= 0) return
    const ratio = window.devicePixelRatio || 1
    const scene: Scene = { photograph, image, camera: shown, shape }
    const first = canvasA.current && prepareCanvas(canvasA.current, viewport, ratio)
    if (!first) return
    const [peakA, peakB] = [pair.heatA?.peak ?? null, pair.heatB?.peak ?? null]
    if (mode === 'difference') drawSide(first, viewport, scene, layers.difference, null, 0, { opacity: 1, colour: INK.proposal })
    else if (mode === 'blink') drawSide(first, viewport, scene, showB ? layers.b : layers.a, showB ? peakB : peakA)
    else {
      drawSide(first, viewport, scene, layers.a, peakA)
      if (mode === 'wipe') drawSide(first, viewport, scene, layers.b, peakB, cut * viewport.width)
    }
    const second = mode === 'side' && canvasB.current ? prepareCanvas(canvasB.current, viewport, ratio) : null
    if (second) drawSide(second, viewport, scene, layers.b, peakB)
  }, [photograph, image, shown, layers, viewport, mode, cut, showB, shape, pair.heatA, pair.heatB])

  /** The canvas at this place of the window, whatever lies over it: the line of the wipe, a name. */
  const canvasAt = (x: number, y: number): HTMLElement => {
    const second = mode === 'side' ? canvasB.current : null
    const bounds = second?.getBoundingClientRect()
    return second && bounds && x >= bounds.left && y >= bounds.top ? second : canvasA.current!
  }
  // React's own wheel listener is passive; zooming must keep the page from scrolling.
  const wheel = useRef<(event: WheelEvent) => void>(() => {})
  wheel.current = (event) => {
    if (!image || !shown) return
    event.preventDefault()
    const bounds = canvasAt(event.clientX, event.clientY).getBoundingClientRect()
    setCamera(keepVisible(zoomAt(shown, viewport, { x: event.clientX - bounds.left, y: event.clientY - bounds.top }, wheelFactor(event.deltaY, event.deltaMode)), viewport, image))
  }
  useEffect(() => {
    const element = host.current
    const listener = (event: WheelEvent) => wheel.current(event)
    element?.addEventListener('wheel', listener, { passive: false })
    return () => element?.removeEventListener('wheel', listener)
  }, [])

  const drag = useRef<{ x: number; y: number; camera: Camera } | { wipe: true } | null>(null)
  const moveCut = (event: React.PointerEvent) => {
    const bounds = host.current!.getBoundingClientRect()
    const next = Math.min(1, Math.max(0, (event.clientX - bounds.left) / bounds.width))
    setLook((old) => ({ ...old, cut: next }))
  }
  const onPointerDown = (event: React.PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0 || !shown) return
    event.currentTarget.setPointerCapture(event.pointerId)
    const onWipe = mode === 'wipe' && Math.abs(event.clientX - event.currentTarget.getBoundingClientRect().left - cut * whole.width) < 16
    // While the whole image is seen there is nothing to pan to, so a drag anywhere wipes.
    drag.current = onWipe || (mode === 'wipe' && camera === null) ? { wipe: true } : { x: event.clientX, y: event.clientY, camera: shown }
    if ('wipe' in drag.current) moveCut(event)
  }
  const onPointerMove = (event: React.PointerEvent<HTMLDivElement>) => {
    const held = drag.current
    if (!held || !image) return
    if ('wipe' in held) moveCut(event)
    else setCamera(keepVisible(panBy(held.camera, event.clientX - held.x, event.clientY - held.y), viewport, image))
  }
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = event.key === 'ArrowLeft' ? -KEY_STEP : event.key === 'ArrowRight' ? KEY_STEP : 0
    if (!step) return
    event.preventDefault()
    event.stopPropagation()
    setLook((old) => ({ ...old, cut: Math.min(1, Math.max(0, old.cut + step)) }))
  }
  const [a, b] = [letter(places[0]), letter(places[1])]
  const waiting = !failed && (!photograph || !pair.heatA || !pair.heatB)
  return (
    <div ref={host} className={cx(styles.stage, mode === 'side' && (beside ? styles.beside : styles.stacked))} data-testid="pair-stage" data-mode={mode} data-ready={!waiting}
      onPointerDown={onPointerDown} onPointerMove={onPointerMove} onPointerUp={() => { drag.current = null }} onPointerCancel={() => { drag.current = null }} onDoubleClick={() => setCamera(null)}>
      <canvas ref={canvasA} role="img" aria-label={SAID[mode]({ a, b, shown: showB ? b : a, name: names[0] })} />
      {mode === 'side' ? <canvas ref={canvasB} role="img" aria-label={t('Heat of {letter}, {name}', { letter: b, name: names[1] })} /> : null}
      {mode === 'wipe' ? (
        <span className={styles.wipe} style={{ left: `${cut * 100}%` }}>
          <span className={styles.grip} role="slider" tabIndex={0} aria-label={t('Wipe between {a} and {b}', { a, b })} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(cut * 100)} onKeyDown={onKeyDown}><Icon of={ArrowLeftRight} size="s" /></span>
        </span>
      ) : null}
      {mode === 'blink' ? <Plate side="left" place={places[showB ? 1 : 0]} name={names[showB ? 1 : 0]} /> : mode === 'difference' ? null : (
        <><Plate side="left" place={places[0]} name={names[0]} /><Plate side={mode === 'side' && !beside ? 'below' : 'right'} place={places[1]} name={names[1]} /></>
      )}
      {failed ? <span className={styles.stageNote}>{t('The image file could not be read. Look in Library for what is missing.')}</span> : waiting ? <span className={styles.stageNote}>{t('Working out the heat')}</span> : null}
    </div>
  )
}

function besideIsLarger(image: Size, whole: Size): boolean {
  const scale = (width: number, height: number) => Math.min(width / image.width, height / image.height)
  return scale(whole.width / 2, whole.height) >= scale(whole.width, whole.height / 2)
}

function Plate({ side, place, name }: { side: 'left' | 'right' | 'below'; place: number; name: string }) {
  return <span className={cx(styles.name, styles[side])} aria-hidden="true"><Letter of={place} /><span className="trunc">{name}</span></span>
}
