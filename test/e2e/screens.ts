/** The screens as a person reaches them, for the tests that look at each of them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { ROOT } from './engine.ts'

export const SCREENS = ['library', 'curate', 'train', 'checkpoints', 'compare', 'settings'] as const
export type Screen = (typeof SCREENS)[number]

/** Goes there and waits until nothing is loading any more. */
export async function showScreen(page: Page, screen: Screen, query = ''): Promise<void> {
  await page.goto(new URL(`#/${screen}${query ? `?${query}` : ''}`, page.url()).href)
  await page.locator(`main[data-screen="${screen}"]`).waitFor()
  const until = Date.now() + 30_000
  let quiet = 0
  // Three looks in a row without anything busy: a screen fetches in steps.
  while (quiet < 3 && Date.now() < until) {
    quiet = (await page.locator('main [aria-busy="true"]').count()) === 0 ? quiet + 1 : 0
    await page.waitForTimeout(120)
  }
}

/** Saves a picture for people to look at; not kept in the repository. */
export async function takePicture(page: Page, name: string): Promise<void> {
  const folder = join(ROOT, 'test-results', 'screens')
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}

/** Experimental in axe, and asked all the same: what is read out must hold what is seen. */
export const ASKED_TOO = { 'label-content-name-mismatch': { enabled: true } }

/** What axe calls serious or critical on the page, each with its places. */
export async function findingsOf(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).options({ rules: ASKED_TOO }).analyze()
  return violations.filter((one) => one.impact === 'serious' || one.impact === 'critical').map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(' | ')}`)
}

/** Names of visible controls that lie partly outside the window without a scrolling box around them that could bring them in. */
export function outside(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const found = []
    for (const element of document.querySelectorAll('button, a, input, select, textarea, h1, h2, [role=button], [role=slider]')) {
      const box = element.getBoundingClientRect()
      const style = getComputedStyle(element)
      if (box.width < 2 || box.height < 2 || style.visibility === 'hidden' || element.closest('[hidden], [inert], .visually-hidden')) continue
      if (box.left >= -1 && box.top >= -1 && box.right <= innerWidth + 1 && box.bottom <= innerHeight + 1) continue
      let scrolls = false
      for (let parent = element.parentElement; parent; parent = parent.parentElement) {
        const overflow = getComputedStyle(parent)
        if (/(auto|scroll|hidden|clip)/.test(overflow.overflowX + overflow.overflowY) && parent !== document.body) { scrolls = /(auto|scroll)/.test(overflow.overflowX + overflow.overflowY) || parent.classList.contains('visually-hidden'); if (scrolls) break }
      }
      if (!scrolls) found.push((element.getAttribute('aria-label') || element.textContent || element.tagName).trim().slice(0, 40))
    }
    if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways')
    return found
  })()`)
}
