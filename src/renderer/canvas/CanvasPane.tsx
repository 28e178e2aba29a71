/**
 * One canvas: image, heat, boxes, interaction. React mounts the stage and its four layers; everything that moves is drawn
 * from the scene's store outside React, once a frame.
 */
import Konva from 'konva/lib/Core.js'
import { useEffect, useLayoutEffect, useRef } from 'react'
import { Layer, Stage } from 'react-konva/lib/ReactKonvaCore.js'
import { t } from '../../shared/messages/messages.ts'
import type { Box, Point, Size } from '../../shared/geometry.ts'
import { boxesOnly } from '../../shared/shape.ts'
import { pointStrictlyInsideShape } from '../../shared/shape-mask.ts'
import { applyCamera } from './camera.ts'
import { UNDER_HEAT_FILTER } from './heat.ts'
import { paintInteraction } from './paint.ts'
import { type TileSource, paintTiles } from './tiles.ts'
import { describe, listen } from './pane-events.ts'
import { type SceneState, liveRegionShape } from './scene-state.ts'
import type { Scene } from './scene.ts'
import { createBoxPainter } from './still.ts'
import styles from './CanvasPane.module.css'

// The middle button pans; Konva would otherwise let it drag nodes too.
Konva.dragButtons = [0]

export interface CanvasPaneProps {
  readonly scene: Scene
  /** Name of this pane in the scene's viewports, and its data-canvas attribute. */
  readonly pane: string
  readonly label: string
  readonly image: CanvasImageSource | null
  /** A large image comes in tiles instead. */
  readonly tiles?: TileSource | null
  /** Heat to draw over the image, already coloured; null for the photograph alone. */
  readonly heat: HTMLCanvasElement | null
  /** 0 to 1. */
  readonly heatOpacity: number
  /** 1 leaves the photograph as it is. Shown only; pixels are never rewritten. */
  readonly brightness: number
  readonly contrast: number
  /** Above 1 dark parts are lightened, below 1 darkened. */
  readonly gamma: number
  readonly peak: Point | null
  /** Boxes the peak is held against; left out, those of the phrase in hand as they stand at the moment. */
  readonly peakBoxes?: readonly Box[] | undefined
  readonly handles: boolean
  /** Milliseconds of the cross-fade when a new heatmap arrives; 0 for none. */
  readonly fadeMs?: number
}

/** From this zoom on single pixels are shown as squares: what is labelled is pixels. */
const PIXELS_FROM_SCALE = 10

/** What the layer of still boxes shows, beside camera and image. */
const BOX_PARTS = ['boxes', 'proposals', 'selected', 'names'] as const

interface Drawing {
  readonly props: CanvasPaneProps
  readonly previousHeat: HTMLCanvasElement | null
  /** 0 just arrived, 1 fully there. */
  readonly fade: number
}

export function CanvasPane(props: CanvasPaneProps) {
  const host = useRef<HTMLDivElement>(null)
  const stageRef = useRef<Konva.Stage>(null)
  const latest = useRef<Drawing>({ props, previousHeat: null, fade: 1 })
  const redraw = useRef<() => void>(() => undefined)
  const { scene, pane } = props

  useLayoutEffect(() => {
    const stage = stageRef.current
    const element = host.current
    if (!stage || !element) return
    const painter = createPainter(stage, element, scene, pane, () => latest.current)
    redraw.current = painter.request
    const stopListening = listen(element, scene, pane)
    const observer = new ResizeObserver(() => painter.resize())
    observer.observe(element)
    painter.resize()
    const unsubscribe = scene.subscribe(painter.request)
    return () => {
      unsubscribe()
      observer.disconnect()
      stopListening()
      painter.dispose()
      scene.setViewport(pane, null)
    }
  }, [scene, pane])

  useLayoutEffect(() => {
    const before = latest.current
    const newHeat = props.heat !== before.props.heat
    const sameImage = props.image === before.props.image
    latest.current = newHeat ? { props, previousHeat: sameImage ? before.props.heat : null, fade: 1 } : { ...before, props }
    redraw.current()
  })

  useEffect(() => {
    const fadeMs = props.fadeMs ?? 0
    if (fadeMs <= 0 || !props.heat || !latest.current.previousHeat) return
    const start = performance.now()
    let frame = 0
    const tick = () => {
      const fade = Math.min(1, (performance.now() - start) / fadeMs)
      latest.current = { ...latest.current, fade, previousHeat: fade < 1 ? latest.current.previousHeat : null }
      redraw.current()
      if (fade < 1) frame = requestAnimationFrame(tick)
    }
    tick()
    return () => cancelAnimationFrame(frame)
  }, [props.heat, props.fadeMs])

  useEffect(() => props.tiles?.subscribe(() => {
    // Another tile came: the picture is drawn anew with it.
    latest.current = { ...latest.current }
    redraw.current()
  }), [props.tiles])

  return (
    <div ref={host} className={styles.host} data-canvas={pane} tabIndex={0} role="application" aria-roledescription={t('canvas')} aria-label={props.label}>
      {props.gamma === 1 ? null : (
        <svg className={styles.filters} aria-hidden="true">
          <filter id={`gamma-${pane}`} colorInterpolationFilters="sRGB">
            <feComponentTransfer>{(['R', 'G', 'B'] as const).map((channel) => <Transfer key={channel} channel={channel} exponent={1 / props.gamma} />)}</feComponentTransfer>
          </filter>
        </svg>
      )}
      <Stage ref={stageRef} listening={false} className={styles.stage}>
        <Layer listening={false} />
        <Layer listening={false} />
        <Layer listening={false} />
        <Layer listening={false} />
      </Stage>
    </div>
  )
}

function Transfer({ channel, exponent }: { channel: 'R' | 'G' | 'B'; exponent: number }) {
  const curve = { type: 'gamma', amplitude: 1, exponent, offset: 0 } as const
  return channel === 'R' ? <feFuncR {...curve} /> : channel === 'G' ? <feFuncG {...curve} /> : <feFuncB {...curve} />
}

function createPainter(stage: Konva.Stage, element: HTMLElement, scene: Scene, pane: string, drawing: () => Drawing) {
  const [imageLayer, heatLayer, boxLayer, topLayer] = stage.getLayers() as [Konva.Layer, Konva.Layer, Konva.Layer, Konva.Layer]
  let viewport: Size = { width: 0, height: 0 }
  let frame = 0
  let drawn: { state: SceneState; drawing: Drawing } | null = null

  /** Draws a picture over the image's rectangle. */
  const picture = (layer: Konva.Layer, draw: (context: CanvasRenderingContext2D, image: Size) => void) =>
    layer.add(
      new Konva.Shape({
        listening: false,
        perfectDrawEnabled: false,
        sceneFunc: (wrapped) => {
          const context = wrapped._context
          const { image, camera } = scene.store.getState()
          if (image.width <= 0 || viewport.width <= 0) return
          context.save()
          applyCamera(context, camera, viewport)
          draw(context, image)
          context.restore()
        },
      }),
    )
  imageLayer.add(
    new Konva.Shape({
      listening: false,
      perfectDrawEnabled: false,
      sceneFunc: (wrapped) => {
        const { tiles } = drawing().props
        const { camera, image } = scene.store.getState()
        const context = wrapped._context
        if (!tiles || image.width !== tiles.image.width || image.height !== tiles.image.height || viewport.width <= 0) return
        context.imageSmoothingEnabled = camera.scale < PIXELS_FROM_SCALE
        context.imageSmoothingQuality = 'low'
        paintTiles(context, tiles, camera, viewport, imageLayer.getCanvas().getPixelRatio())
      },
    }),
  )
  picture(imageLayer, (context, image) => {
    const { props } = drawing()
    if (!props.image) return
    const { camera, gesture } = scene.store.getState()
    context.imageSmoothingEnabled = camera.scale < PIXELS_FROM_SCALE
    // A large photograph costs much to scale well; while it moves nobody sees the difference.
    context.imageSmoothingQuality = gesture.kind === 'panning' ? 'low' : 'high'
    context.drawImage(props.image, 0, 0, image.width, image.height)
  })
  picture(heatLayer, (context, image) => {
    const { props, previousHeat, fade } = drawing()
    context.imageSmoothingEnabled = true
    if (previousHeat && fade < 1) {
      context.globalAlpha = props.heatOpacity * (1 - fade)
      context.drawImage(previousHeat, 0, 0, image.width, image.height)
    }
    if (!props.heat) return
    context.globalAlpha = props.heatOpacity * (previousHeat ? fade : 1)
    context.drawImage(props.heat, 0, 0, image.width, image.height)
  })
  const paintBoxes = createBoxPainter(() => document.createElement('canvas'))
  boxLayer.add(
    new Konva.Shape({ listening: false, perfectDrawEnabled: false, sceneFunc: (wrapped) => paintBoxes(wrapped._context, scene.store.getState(), viewport) }),
  )
  topLayer.add(
    new Konva.Shape({
      listening: false,
      perfectDrawEnabled: false,
      sceneFunc: (wrapped) => {
        const state = scene.store.getState()
        const { props } = drawing()
        const shape = props.peak ? (props.peakBoxes ? boxesOnly(props.peakBoxes) : liveRegionShape(state)) : null
        const here = state.pointer?.pane === pane
        paintInteraction(wrapped._context, state, {
          viewport,
          handles: props.handles || here,
          peak: props.peak ? { at: props.peak, hit: shape !== null && pointStrictlyInsideShape(props.peak.x, props.peak.y, shape) } : null,
          crosshair: state.caret ?? (state.pointer && (state.guides || ((state.tool === 'draw' || state.tool === 'polygon') && !state.panHeld)) ? state.pointer.at : null),
        })
      },
    }),
  )

  function draw() {
    frame = 0
    const state = scene.store.getState()
    const { props } = drawing()
    describe(element, state, viewport)
    const filters = [props.heat ? UNDER_HEAT_FILTER : '', props.brightness === 1 ? '' : `brightness(${props.brightness})`, props.contrast === 1 ? '' : `contrast(${props.contrast})`, props.gamma === 1 ? '' : `url(#gamma-${pane})`]
    // A filter of the layer's own element is done by the compositor; pixels stay as they are.
    imageLayer.getNativeCanvasElement().style.filter = filters.join(' ').trim() || 'none'
    // Each layer is drawn anew only for what shows on it: a pointer that moves over 10,000 boxes, or drags one, costs the top layer alone.
    const before = drawn?.state
    const moved = before?.camera !== state.camera || before.image !== state.image || (before.gesture.kind === 'panning') !== (state.gesture.kind === 'panning')
    const fresh = moved || drawn?.drawing !== drawing()
    if (fresh) {
      imageLayer.draw()
      heatLayer.draw()
    }
    if (moved || BOX_PARTS.some((part) => before![part] !== state[part])) boxLayer.draw()
    drawn = { state, drawing: drawing() }
    topLayer.draw()
  }

  function request() {
    // One drawing for everything that changes before the next frame.
    if (frame === 0) frame = requestAnimationFrame(draw)
    element.style.cursor = scene.store.getState().cursor
  }

  let stopRatio = () => undefined as void
  function watchRatio() {
    const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`)
    const changed = () => {
      for (const layer of stage.getLayers()) layer.getCanvas().setPixelRatio(devicePixelRatio)
      watchRatio()
      request()
    }
    stopRatio()
    query.addEventListener('change', changed, { once: true })
    stopRatio = () => query.removeEventListener('change', changed)
  }
  watchRatio()

  return {
    request,
    resize() {
      const next = { width: element.clientWidth, height: element.clientHeight }
      if (next.width === viewport.width && next.height === viewport.height) return
      viewport = next
      stage.size(next)
      scene.setViewport(pane, next)
      drawn = null
      // Resizing clears the canvases: draw at once, or a frame would be empty.
      cancelAnimationFrame(frame)
      draw()
    },
    dispose() {
      cancelAnimationFrame(frame)
      stopRatio()
      // React may mount the same stage again; what was drawn by hand must not be there twice.
      for (const layer of stage.getLayers()) layer.destroyChildren()
    },
  }
}
