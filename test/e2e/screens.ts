/** The screens as a person reaches them, for the tests that look at each of them. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
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
