import { useRef, useState } from 'react'

export interface PixelRect {
  readonly x1: number
  readonly y1: number
  readonly x2: number
  readonly y2: number
}

const CLICK_PX = 4

/** A rectangle drawn by dragging, in px of the element; a press without a drag is a click. */
export function useBrush({ onBrush, onClick }: { onBrush: (rect: PixelRect) => void; onClick: (x: number, y: number) => void }) {
  const from = useRef<{ x: number; y: number } | null>(null)
  const [drawing, setDrawing] = useState<PixelRect | null>(null)
  const at = (event: React.PointerEvent<HTMLElement>) => {
    const bounds = event.currentTarget.getBoundingClientRect()
    return { x: event.clientX - bounds.left, y: event.clientY - bounds.top }
  }
  const rect = (a: { x: number; y: number }, b: { x: number; y: number }): PixelRect => ({ x1: Math.min(a.x, b.x), y1: Math.min(a.y, b.y), x2: Math.max(a.x, b.x), y2: Math.max(a.y, b.y) })
  return {
    drawing,
    handlers: {
      onPointerDown: (event: React.PointerEvent<HTMLElement>) => {
        if (event.button !== 0) return
        event.currentTarget.setPointerCapture(event.pointerId)
        from.current = at(event)
      },
      onPointerMove: (event: React.PointerEvent<HTMLElement>) => {
        if (from.current) setDrawing(rect(from.current, at(event)))
      },
      onPointerUp: (event: React.PointerEvent<HTMLElement>) => {
        const start = from.current
        from.current = null
        setDrawing(null)
        if (!start) return
        const drawn = rect(start, at(event))
        if (drawn.x2 - drawn.x1 < CLICK_PX && drawn.y2 - drawn.y1 < CLICK_PX) onClick(start.x, start.y)
        else onBrush(drawn)
      },
      onPointerCancel: () => {
        from.current = null
        setDrawing(null)
      },
    },
  }
}
