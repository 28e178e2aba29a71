/** Every screen, in both themes and at both sizes: nothing that axe calls serious, nothing cut off, and a picture to look at. */
import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findChromium, NO_BROWSER, type OpenPage, openPage } from './browser.ts'
import { canvasDriver } from './canvas-driver.ts'
import { callEngine } from './call.ts'
import { makeSmallDemo, type ServedEngine, serve, temporaryFolder } from './engine.ts'
import { ASKED_TOO, findingsOf, outside, SCREENS, type Screen, showScreen, takePicture } from './screens.ts'

const chromium = findChromium()
if (!chromium) console.warn(NO_BROWSER)

describe.skipIf(!chromium)(`every screen${chromium ? '' : ` (${NO_BROWSER})`}`, () => {
  let folder: { path: string; remove: () => Promise<void> }
  let engine: ServedEngine
  let compareQuery = ''

  beforeAll(async () => {
    folder = await temporaryFolder('screens')
    engine = await serve(`${folder.path}/project`)
    const api = callEngine(engine)
    const job = await api.datasets.import({ path: await makeSmallDemo(`${folder.path}/small-demo`), name: 'small demo' })
    await api.ended(job.id)
    const [dataset] = await api.datasets.list({})
    const checkpoints = await api.checkpoints.list({})
    for (const { id } of checkpoints.slice(0, 2)) await api.ended((await api.scores.compute({ datasetId: dataset!.id, checkpointId: id, splits: ['val'] })).id)
    compareQuery = `dataset=${dataset!.id}&a=${checkpoints[1]?.id ?? ''}&b=${checkpoints[0]?.id ?? ''}&split=val`
    const run = await api.runs.start({ preset: 'demo-amc', overrides: { steps: 12 }, datasetId: dataset!.id, name: 'a short run' })
    await api.runEnded(run.id)
    api.close()
  })
  afterAll(async () => {
    await engine?.close()
    await folder?.remove()
  })

  for (const theme of ['dark', 'light'] as const) {
    for (const [width, height] of [[1440, 900], [1024, 700]] as const) {
      describe(`${theme}, ${width} x ${height}`, () => {
        let open: OpenPage
        beforeAll(async () => void (open = await openPage(engine, { theme, width, height })))
        afterAll(() => open?.close())

        it.each(SCREENS)('%s', async (screen: Screen) => {
          const { page } = open
          await showScreen(page, screen, screen === 'compare' ? compareQuery : '')
          if (screen === 'curate') {
            await canvasDriver(page, 'image').ready()
            await page.locator('[data-heat]').first().waitFor()
            await page.waitForTimeout(200)
          }
          await takePicture(page, `${screen}-${theme}-${width}`)
          expect(await outside(page), 'parts that stick out of the window').toEqual([])
          expect(await findingsOf(page)).toEqual([])
          expect(open.faults).toEqual([])
        })
      })
    }
  }

  it('shows the shortcut sheet and the palette without serious findings', async () => {
    const open = await openPage(engine, { theme: 'dark' })
    await showScreen(open.page, 'curate')
    for (const [key, name] of [['?', 'shortcuts'], ['Control+k', 'palette']] as const) {
      await open.page.locator('body').press(key)
      await open.page.getByRole('dialog').waitFor()
      await takePicture(open.page, `${name}-dark-1440`)
      const { violations } = await new AxeBuilder({ page: open.page }).include('[role="dialog"]').options({ rules: ASKED_TOO }).analyze()
      expect(violations.filter((one) => one.impact === 'serious' || one.impact === 'critical').map((one) => one.id)).toEqual([])
      await open.page.keyboard.press('Escape')
      await open.page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    await open.close()
  })

  it.each([['dark', 1440, 900], ['light', 1024, 700]] as const)('takes a newcomer through the job once, %s at %d, and is not offered again', async (theme, width, height) => {
    const open = await openPage(engine, { theme, width, height, newcomer: true })
    const { page } = open
    const card = page.getByTestId('tour')
    await card.waitFor()
    const titles: string[] = []
    for (;;) {
      titles.push(await card.getByRole('heading').innerText())
      await page.waitForTimeout(500)
      await takePicture(page, `tour-${titles.length}-${theme}-${width}`)
      const { violations } = await new AxeBuilder({ page }).include('[data-testid="tour"]').options({ rules: ASKED_TOO }).analyze()
      expect(violations.filter((one) => one.impact === 'serious' || one.impact === 'critical').map((one) => one.id)).toEqual([])
      expect(await outside(page)).toEqual([])
      const next = card.getByRole('button', { name: 'Next' })
      if ((await next.count()) === 0) break
      await next.click()
      await card.getByText(`${titles.length + 1} of 6`).waitFor()
    }
    expect(new Set(titles).size).toBe(6)
    expect(new URL(page.url()).hash).toContain('#/compare')
    await card.getByRole('button', { name: 'Back' }).click()
    await page.locator('main[data-screen="train"]').waitFor()
    await page.keyboard.press('Escape')
    await card.waitFor({ state: 'detached' })
    await page.reload()
    await page.locator('main[data-screen]').waitFor()
    await page.waitForTimeout(500)
    expect(await card.count()).toBe(0)
    expect(open.faults).toEqual([])
    await open.close()
  })
})
