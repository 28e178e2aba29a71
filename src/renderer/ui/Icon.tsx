import type { LucideIcon } from 'lucide-react'

const SIZES = { m: { px: 16, stroke: 1.5 }, s: { px: 14, stroke: 1.6 }, xs: { px: 12, stroke: 2 } } as const

/** A lucide icon in the product's three sizes. Decorative: the control it stands in carries the name. */
export function Icon({ of: Glyph, size = 'm', className }: { of: LucideIcon; size?: keyof typeof SIZES; className?: string }) {
  const { px, stroke } = SIZES[size]
  return <Glyph aria-hidden="true" focusable="false" width={px} height={px} strokeWidth={stroke} {...(className ? { className } : {})} style={{ flex: 'none', display: 'block' }} />
}
