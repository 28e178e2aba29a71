import { useEffect, useRef, useState } from 'react'
import { t } from '../../shared/messages/messages.ts'
import type { HeatGrid } from '../../shared/consistency.ts'
import type { Box, Point, Size } from '../../shared/geometry.ts'
import type { Outline } from '../../shared/shape.ts'
import { drawHeatThumbnail } from '../canvas/heat-thumbnail.ts'
import type { HeatScale } from '../canvas/heat.ts'
import { thumbUrl } from '../state/queries.ts'
import { useImage } from './use-image.ts'
import styles from './heat-thumb.module.css'

// The same lists each time: fresh ones would draw anew with each render.
const NO_BOXES: readonly Box[] = []
const NO_OUTLINES: readonly Outline[] = []

/** A small picture of an image, with heat, boxes or outlines and peak where given. It fills its parent, which says how large it is. */
export function HeatThumb({ imageId, image, grid = null, other = null, peak = null, boxes = NO_BOXES, outlines = NO_OUTLINES, scale = 'own', label }: {
  imageId: string; image: Size; grid?: HeatGrid | null; other?: HeatGrid | null; peak?: Point | null; boxes?: readonly Box[]; outlines?: readonly Outline[]; scale?: HeatScale; label: string
}) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const { image: source, failed } = useImage(thumbUrl(imageId))
  const [size, setSize] = useState({ width: 0, height: 0 })
  useEffect(() => {
    const parent = canvas.current?.parentElement
    if (!parent) return
    const observer = new ResizeObserver(() => setSize({ width: parent.clientWidth, height: parent.clientHeight }))
    observer.observe(parent)
    return () => observer.disconnect()
  }, [])
  useEffect(() => {
    if (!canvas.current || !source || size.width === 0 || size.height === 0) return
    drawHeatThumbnail(canvas.current, size.width, size.height, window.devicePixelRatio || 1, { source, image, grid, other, peak, boxes, outlines, scale })
  }, [source, size, image, grid, other, peak, boxes, outlines, scale])
  return (
    <span className={styles.frame}>
      <canvas ref={canvas} role="img" aria-label={label} className={styles.canvas} />
      {failed ? <span className={styles.failed}>{t('no image')}</span> : null}
    </span>
  )
}
