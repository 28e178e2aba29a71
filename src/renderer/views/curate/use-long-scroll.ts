/** Rows of a list of any length, drawn where they are in view: see scroll-map.ts. */
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { listTop, moveTo, placeFor, placeToShow, rowsInView, scrollMap, type ScrollPlace } from './scroll-map.ts'

export interface LongScroll {
  /** The ref of the element that scrolls. */
  readonly scroller: (element: HTMLDivElement | null) => void
  readonly viewHeight: number
  /** Of the element inside the scroller. */
  readonly height: number
  readonly first: number
  readonly last: number
  /** Where a row stands inside that element. */
  topOf(index: number): number
  /** Brings a row into view, if it is not. */
  show(index: number): void
}

const BESIDE = 6

export function useLongScroll(rows: number, rowHeight: number): LongScroll {
  const [element, scroller] = useState<HTMLDivElement | null>(null)
  const [place, setPlace] = useState<ScrollPlace>({ scrollTop: 0, offset: 0 })
  const [viewHeight, setViewHeight] = useState(0)
  const now = useRef(place)
  const map = scrollMap(rows, rowHeight)
  /** A row that was to be shown before it was known how much room there is. */
  const wanted = useRef<number | null>(null)
  const newest = useRef({ map, viewHeight })
  newest.current = { map, viewHeight }
  const take = useCallback((next: ScrollPlace) => {
    now.current = next
    setPlace((before) => (before.scrollTop === next.scrollTop && before.offset === next.offset ? before : next))
  }, [])

  useEffect(() => {
    if (!element) return
    const onScroll = () => {
      // What this has set itself comes back as an event too.
      if (Math.abs(element.scrollTop - now.current.scrollTop) >= 1) take(moveTo(newest.current.map, now.current, element.scrollTop, newest.current.viewHeight))
    }
    const observer = new ResizeObserver(() => setViewHeight(element.clientHeight))
    setViewHeight(element.clientHeight)
    element.addEventListener('scroll', onScroll, { passive: true })
    observer.observe(element)
    return () => {
      element.removeEventListener('scroll', onScroll)
      observer.disconnect()
    }
  }, [take, element])

  // A shorter list may end above where one stood.
  useLayoutEffect(() => {
    const top = listTop(now.current)
    if (viewHeight > 0 && top > Math.max(0, map.listHeight - viewHeight)) take(placeFor(map, top, viewHeight))
  }, [rows, viewHeight])
  useLayoutEffect(() => {
    if (viewHeight <= 0 || wanted.current === null) return
    take(placeToShow(map, now.current, wanted.current, rowHeight, viewHeight))
    wanted.current = null
  }, [viewHeight])
  useLayoutEffect(() => {
    if (element && Math.abs(element.scrollTop - place.scrollTop) >= 1) element.scrollTop = place.scrollTop
  }, [place, element])

  const top = listTop(place)
  const { first, last } = rowsInView(top, viewHeight, rowHeight, rows, BESIDE)
  return {
    scroller, viewHeight, height: map.height, first, last,
    topOf: (index) => index * rowHeight - place.offset,
    show(index) {
      const { map: list, viewHeight: view } = newest.current
      wanted.current = view > 0 ? null : index
      take(placeToShow(list, now.current, index, rowHeight, view))
    },
  }
}
