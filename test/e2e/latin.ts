/** Finds English that is left on a page in another language. */
import type { Page } from 'playwright-core'

/** Names that are the same in every language: of formats, methods, protocols and the product. */
const NAMES = [
  'AMC Workstation', 'AMC JSON Lines', 'AMC JSON', 'AMC CSV', 'AMC strict', 'Pascal VOC', 'Label Studio', 'Visual Genome', 'Flickr30k Entities', 'Open Images', 'Grad-CAM', 'TensorFlow.js', 'McNemar p', 'Benjamini-Hochberg',
]
/** Keys of the keyboard, as their caps are read out. */
const KEYS = /(?<!\p{Script=Latin})(?:(?:Ctrl|Shift|Alt|Meta) )+(?:\p{Script=Latin}+|\S)/gu
const WORDS = /\p{Script=Latin}{2,}(?:['’-]\p{Script=Latin}+)*(?:[\s ]+\p{Script=Latin}[\p{Script=Latin}'’-]*)+/gu

/**
 * Texts that are seen or read out and hold two or more Latin words in a row.
 * @param data what people and files hold: it stays as it is
 */
export async function latinOn(page: Page, data: readonly string[]): Promise<string[]> {
  const texts = await page.evaluate<string[]>(`(() => {
    const found = new Set()
    const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest('[hidden]')
    for (const element of document.querySelectorAll('body, body *')) {
      if (['SCRIPT', 'STYLE', 'TEMPLATE', 'KBD'].includes(element.tagName) || !seen(element)) continue
      for (const name of ['aria-label', 'aria-description', 'aria-roledescription', 'aria-valuetext', 'title', 'placeholder', 'alt']) found.add(element.getAttribute(name) || '')
    }
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement
      if (parent && !parent.closest('script, style, template, kbd') && seen(parent)) found.add(node.nodeValue.trim())
    }
    return [...found].filter((text) => text !== '')
  })()`)
  const known = [...NAMES, ...data].filter((one) => one.length > 1).sort((a, b) => b.length - a.length)
  return texts.filter((text) => {
    // A name that is cut off in its middle comes in parts.
    if (!text.match(WORDS) || data.some((one) => one.includes(text))) return false
    let rest = text.replace(KEYS, ' · ')
    for (const one of known) rest = rest.replaceAll(one, ' · ')
    return rest.match(WORDS) !== null
  })
}
