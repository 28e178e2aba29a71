/** Decoded photographs, the last few kept, so that the next sample is on screen in the frame its key is pressed. */
import { useEffect, useState } from 'react'
import { imageUrl } from '../../state/queries.ts'

const KEPT = 12
const cache = new Map<string, Promise<HTMLImageElement>>()
const ready = new Map<string, HTMLImageElement>()

/** Loads and decodes an image; the same promise while it is kept. */
export function loadImage(imageId: string): Promise<HTMLImageElement> {
  const known = cache.get(imageId)
  if (known) {
    cache.delete(imageId)
    cache.set(imageId, known)
    return known
  }
  const image = new Image()
  image.decoding = 'async'
  image.src = imageUrl(imageId)
  const loading = image.decode().then(() => {
    if (cache.get(imageId) === loading) ready.set(imageId, image)
    return image
  })
  loading.catch(() => {
    if (cache.get(imageId) === loading) cache.delete(imageId)
  })
  cache.set(imageId, loading)
  for (const old of cache.keys()) {
    if (cache.size <= KEPT) break
    cache.delete(old)
    ready.delete(old)
  }
  return loading
}

export interface ShownImage {
  readonly image: HTMLImageElement | null
  readonly failed: boolean
  readonly retry: () => void
}

/** The image if it is decoded, at once and without a blank frame; else null until it is. */
export function useDecodedImage(imageId: string | null): ShownImage {
  const [state, setState] = useState<{ id: string | null; image: HTMLImageElement | null; failed: boolean }>({ id: null, image: null, failed: false })
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    if (imageId === null) return
    let current = true
    loadImage(imageId).then(
      (image) => current && setState({ id: imageId, image, failed: false }),
      () => current && setState({ id: imageId, image: null, failed: true }),
    )
    return () => {
      current = false
    }
  }, [imageId, attempt])
  const retry = () => setAttempt((count) => count + 1)
  const decoded = imageId === null ? null : (ready.get(imageId) ?? (state.id === imageId ? state.image : null))
  return { image: decoded, failed: state.id === imageId && state.failed && decoded === null, retry }
}
