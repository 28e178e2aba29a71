/** Hands a file to the person: the browser's download, the shell's dialog. */
import type { SvgNode } from '../../shared/charts/svg.ts'
import { toMarkup } from '../../shared/charts/svg.ts'

export function saveFile(name: string, content: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = fileName(name)
  link.click()
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** A name that every file system takes. */
export function fileName(text: string): string {
  return text.replace(/[\u0000-\u001f<>:"/\\|?*]+/g, '-').replace(/^[.\s-]+|[.\s]+$/g, '').slice(0, 120) || 'file'
}

export function saveSvg(name: string, chart: SvgNode): void {
  saveFile(`${name}.svg`, toMarkup(chart), 'image/svg+xml')
}

const PNG_SCALE = 3

/** On white, at three times the size: enough for print. */
export async function savePng(name: string, chart: SvgNode): Promise<void> {
  const image = new Image()
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(toMarkup(chart))}`
  await image.decode()
  const canvas = document.createElement('canvas')
  canvas.width = Number(chart.attributes['width']) * PNG_SCALE
  canvas.height = Number(chart.attributes['height']) * PNG_SCALE
  const context = canvas.getContext('2d')!
  context.fillStyle = '#ffffff'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.drawImage(image, 0, 0, canvas.width, canvas.height)
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
  if (blob) saveFile(`${name}.png`, blob, 'image/png')
}
