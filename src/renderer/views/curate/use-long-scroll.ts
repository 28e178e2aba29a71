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
  /** The row that was shown last, and how high the list was then; 0 before that is known. */
  const shown = useRef<number | null>(null)
  const heightBefore = useRef(0)
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
    const height = heightBefore.current
    heightBefore.current = viewHeight
    // What comes above or below the list does not push the row out of it; one that was scrolled away stays away.
    if (shown.current !== null && placeToShow(map, now.current, shown.current, rowHeight, height) === now.current) take(placeToShow(map, now.current, shown.current, rowHeight, viewHeight))
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
      shown.current = index
      take(placeToShow(list, now.current, index, rowHeight, view))
    },
  }
}
