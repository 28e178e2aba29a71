/** Colours of the present theme for canvases, which know no CSS variables. */
export function cssColour(name: string): string {
  return window.getComputedStyle(document.documentElement).getPropertyValue(name).trim() || '#808080'
}

/** The same colour with less opacity; hex of six digits and rgb() with spaces or commas are understood. */
export function faded(colour: string, alpha: number): string {
  const hex = /^#([0-9a-f]{6})$/i.exec(colour)
  if (hex) {
    const value = Number.parseInt(hex[1]!, 16)
    return `rgba(${value >> 16}, ${(value >> 8) & 255}, ${value & 255}, ${alpha})`
  }
  const parts = /^rgb\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)/.exec(colour)
  return parts ? `rgba(${parts[1]}, ${parts[2]}, ${parts[3]}, ${alpha})` : colour
}
