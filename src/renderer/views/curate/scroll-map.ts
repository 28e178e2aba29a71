/**
 * A list longer than a browser can scroll. Browsers cap an element's height (33.5 million px in Chromium, half of it elsewhere), and a
 * million rows of 56 px are more. The element is then made shorter than the list: small movements of the scroll bar move the list
 * by as much, so that the wheel feels as it always does, and long ones move it by their share of the whole.
 */

/** Well below what any browser can hold. */
const MOST_PX = 8_000_000

export interface ScrollMap {
  /** Height of the element that is scrolled. */
  readonly height: number
  /** Of the list, as if it could be had. */
  readonly listHeight: number
}

/** Where the list stands for a place of the scroll bar: offset is what is added to it. */
export interface ScrollPlace {
  readonly scrollTop: number
  readonly offset: number
}

export function scrollMap(rows: number, rowHeight: number): ScrollMap {
  const listHeight = rows * rowHeight
  return { listHeight, height: Math.min(listHeight, MOST_PX) }
}

export const listTop = ({ scrollTop, offset }: ScrollPlace): number => scrollTop + offset

/** What the list shows after the bar was moved to a new place. */
export function moveTo(map: ScrollMap, before: ScrollPlace, scrollTop: number, viewHeight: number): ScrollPlace {
  if (map.listHeight <= map.height) return { scrollTop, offset: 0 }
  const room = Math.max(1, map.height - viewHeight)
  // At its ends the bar means the ends of the list, however it came there.
  if (scrollTop <= 0) return { scrollTop: 0, offset: 0 }
  if (scrollTop >= room) return { scrollTop, offset: map.listHeight - map.height }
  const isSmall = Math.abs(scrollTop - before.scrollTop) <= viewHeight
  const offset = isSmall ? before.offset : Math.round(scrollTop * (map.listHeight - viewHeight) / room - scrollTop)
  return { scrollTop, offset: Math.min(map.listHeight - map.height, Math.max(0, offset)) }
}

/** The place of the bar at which the list stands at `top`. */
export function placeFor(map: ScrollMap, top: number, viewHeight: number): ScrollPlace {
  const most = Math.max(0, map.listHeight - viewHeight)
  const wanted = Math.min(most, Math.max(0, top))
  if (map.listHeight <= map.height) return { scrollTop: wanted, offset: 0 }
  const scrollTop = Math.round((wanted * Math.max(1, map.height - viewHeight)) / Math.max(1, most))
  return { scrollTop, offset: wanted - scrollTop }
}

/** Where the bar stands so that the whole row is in view: as it stands, if it is. In a list not yet measured nothing is moved. */
export function placeToShow(map: ScrollMap, before: ScrollPlace, index: number, rowHeight: number, viewHeight: number): ScrollPlace {
  const [from, to, at] = [index * rowHeight, (index + 1) * rowHeight, listTop(before)]
  if (viewHeight <= 0) return before
  if (from < at) return placeFor(map, from, viewHeight)
  return to > at + viewHeight ? placeFor(map, to - viewHeight, viewHeight) : before
}

/** Rows that are at least partly in view, with some on either side. */
export function rowsInView(top: number, viewHeight: number, rowHeight: number, rows: number, beside: number): { readonly first: number; readonly last: number } {
  const first = Math.max(0, Math.floor(top / rowHeight) - beside)
  return { first, last: Math.min(rows - 1, Math.ceil((top + viewHeight) / rowHeight) + beside) }
}
