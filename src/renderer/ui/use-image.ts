import { useEffect, useState } from 'react'
import { t } from '../../shared/messages/messages.ts'

const cache = new Map<string, Promise<HTMLImageElement>>()
const LIMIT = 400

/** A decoded picture, shared by all who ask for the same address. A failed one may be asked for again. */
export function loadImage(url: string): Promise<HTMLImageElement> {
  const known = cache.get(url)
  if (known) return known
  const loading = new Promise<HTMLImageElement>((resolve, reject) => {
    const image = new Image()
    image.onload = () => resolve(image)
    image.onerror = () => {
      cache.delete(url)
      reject(new Error(t('The image could not be read.')))
    }
    image.src = url
  })
  cache.set(url, loading)
  if (cache.size > LIMIT) cache.delete(cache.keys().next().value!)
  return loading
}

export type ImageState = { readonly image: HTMLImageElement | null; readonly failed: boolean }

export function useImage(url: string | null): ImageState {
  const [state, setState] = useState<{ url: string | null } & ImageState>({ url: null, image: null, failed: false })
  useEffect(() => {
    if (url === null) return
    let alive = true
    loadImage(url).then((image) => alive && setState({ url, image, failed: false }), () => alive && setState({ url, image: null, failed: true }))
    return () => {
      alive = false
    }
  }, [url])
  return state.url === url ? state : { image: null, failed: false }
}
