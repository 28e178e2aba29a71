import { createElement, type ReactNode } from 'react'
import type { SvgNode } from '../../shared/charts/svg.ts'

/** A picture of plain data as elements. */
export function SvgTree({ of }: { of: SvgNode }): ReactNode {
  const { xmlns: _, ...attributes } = of.attributes
  const named = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name.startsWith('aria-') ? name : name.replace(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase()), value]))
  return createElement(of.tag, named, ...of.children.map((child, i) => (typeof child === 'string' ? child : <SvgTree key={i} of={child} />)))
}
