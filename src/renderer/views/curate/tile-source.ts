/**
 * Loads the tiles of one large image: the newest wish first, a few at a time, the last few hundred kept. The coarsest tile comes
 * alone, because the engine may be cutting the image meanwhile.
 */
import { useEffect, useMemo, useState } from 'react'
import type { ImageRecord } from '../../../shared/domain.ts'
import type { TileAddress } from '../../../shared/tiles.ts'
import type { TileSource } from '../../canvas/tiles.ts'
import { tileUrl } from '../../state/queries.ts'
import type { ShownImage } from './images.ts'

const AT_ONCE = 4
const KEPT = 240
/** Wishes beyond these are of places that were passed by. */
const WISHES = 64

interface Loader<T> extends TileSource {
  readonly state: () => 'waiting' | 'ready' | 'failed'
  readonly stop: () => void
  /** Takes up again what was stopped. */
  readonly start: () => void
  readonly kept: () => readonly T[]
}

/** @param load gives the decoded picture of a tile, or throws */
export function createTileSource<T extends CanvasImageSource>(image: { readonly width: number; readonly height: number }, load: (tile: TileAddress) => Promise<T>): Loader<T> {
  const there = new Map<string, T>()
  const broken = new Set<string>()
  const loading = new Set<string>()
  let wishes: TileAddress[] = []
  let state: 'waiting' | 'ready' | 'failed' = 'waiting'
  let stopped = false
  const listeners = new Set<() => void>()
  const name = ({ level, x, y }: TileAddress) => `${level}/${x}/${y}`

  const peek = (tile: TileAddress): T | null => {
    const key = name(tile)
    const found = there.get(key)
    if (!found) return null
    there.delete(key)
    there.set(key, found)
    return found
  }
  function next(): void {
    while (!stopped && loading.size < AT_ONCE && wishes.length > 0) start(wishes.pop()!)
  }
  function start(tile: TileAddress): void {
    const key = name(tile)
    loading.add(key)
    load(tile).then(
      (picture) => {
        there.set(key, picture)
        if (tile.level === 0) state = 'ready'
        for (const old of there.keys()) {
          if (there.size <= KEPT) break
          // The coarsest stands in for all others.
          if (!old.startsWith('0/')) there.delete(old)
        }
      },
      () => {
        // Asked for once: its place keeps showing the coarser picture.
        broken.add(key)
        if (tile.level === 0) state = 'failed'
      },
    ).finally(() => {
      loading.delete(key)
      if (stopped) return
      next()
      for (const listener of listeners) listener()
    })
  }

  return {
    image, peek,
    get(tile) {
      const found = peek(tile)
      const key = name(tile)
      if (found || stopped || broken.has(key) || loading.has(key) || (tile.level > 0 && state !== 'ready')) return found
      wishes = [...wishes.filter((wish) => name(wish) !== key), tile].slice(-WISHES)
      // Wishes of one drawing come together; what is loaded first is decided after all are known.
      queueMicrotask(next)
      return null
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    state: () => state,
    stop() {
      stopped = true
      wishes = []
      there.clear()
    },
    start() {
      stopped = false
    },
    kept: () => [...there.values()],
  }
}

async function loadTile(imageId: string, tile: TileAddress): Promise<HTMLImageElement> {
  const picture = new Image()
  picture.src = tileUrl(imageId, tile)
  await picture.decode()
  return picture
}

export const isTiled = (image: { readonly width: number; readonly height: number }, fromMegapixels: number): boolean => image.width * image.height > fromMegapixels * 1e6

export interface ShownTiles {
  readonly tiles: TileSource | null
  /** How the image stands, in the words of one that is loaded whole. */
  readonly picture: ShownImage
  /** True while the first tile is awaited. */
  readonly waiting: boolean
}

/** The tiles of the image in hand; none for null. */
export function useTiles(image: ImageRecord | null): ShownTiles {
  const [attempt, setAttempt] = useState(0)
  const [, redraw] = useState<string>('')
  const key = image?.id ?? null
  const source = useMemo(() => (image ? createTileSource(image, (tile) => loadTile(image.id, tile)) : null), [key, attempt])
  useEffect(() => {
    if (!source) return
    const tell = () => redraw(`${key} ${attempt} ${source.state()}`)
    source.start()
    const unsubscribe = source.subscribe(tell)
    source.get({ level: 0, x: 0, y: 0 })
    return () => {
      unsubscribe()
      source.stop()
    }
  }, [source])
  const state = source?.state() ?? 'waiting'
  return { tiles: source, waiting: source !== null && state === 'waiting', picture: { image: null, failed: state === 'failed', retry: () => setAttempt((count) => count + 1) } }
}
