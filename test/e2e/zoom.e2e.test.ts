/** Every screen at 200 %: a window of 1440 x 900 has 720 x 450 CSS px then. What has no room scrolls; nothing is out of reach. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findChromium, NO_BROWSER, type OpenPage, openPage } from './browser.ts'
import { callEngine } from './call.ts'
import { canvasDriver } from './canvas-driver.ts'
import { makeSmallDemo, type ServedEngine, serve, temporaryFolder } from './engine.ts'
import { findingsOf, outside, SCREENS, type Screen, showScreen, takePicture } from './screens.ts'

const chromium = findChromium()
if (!chromium) console.warn(NO_BROWSER)

describe.skipIf(!chromium)(`every screen at 200 %${chromium ? '' : ` (${NO_BROWSER})`}`, () => {
  let folder: { path: string; remove: () => Promise<void> }
  let engine: ServedEngine
  let open: OpenPage
  let compareQuery = ''

  beforeAll(async () => {
    folder = await temporaryFolder('zoom')
    engine = await serve(`${folder.path}/project`)
    const api = callEngine(engine)
    await api.ended((await api.datasets.import({ path: await makeSmallDemo(`${folder.path}/small-demo`), name: 'small demo' })).id)
    const [dataset] = await api.datasets.list({})
    const checkpoints = await api.checkpoints.list({})
    for (const { id } of checkpoints.slice(0, 2)) await api.ended((await api.scores.compute({ datasetId: dataset!.id, checkpointId: id, splits: ['val'] })).id)
    compareQuery = `dataset=${dataset!.id}&a=${checkpoints[1]?.id ?? ''}&b=${checkpoints[0]?.id ?? ''}&split=val`
    const run = await api.runs.start({ preset: 'demo-amc', overrides: { steps: 12 }, datasetId: dataset!.id, name: 'a short run' })
    await api.runEnded(run.id)
    api.close()
    open = await openPage(engine, { width: 720, height: 450, theme: 'light' })
  })
  afterAll(async () => {
    await open?.close()
    await engine?.close()
    await folder?.remove()
  })

  it.each(SCREENS)('%s', async (screen: Screen) => {
    const { page } = open
    await showScreen(page, screen, screen === 'compare' ? compareQuery : '')
    if (screen === 'curate') await canvasDriver(page, 'image').ready()
    await takePicture(page, `zoom-${screen}`)
    expect(await outside(page), 'parts that stick out of the window').toEqual([])
    expect(await cutOff(page), 'parts that no scrolling brings in').toEqual([])
    expect(await findingsOf(page)).toEqual([])
    expect(open.faults).toEqual([])
  })

  it.each(['curate', 'train', 'compare'] as const)('%s says that a window is too small for it, keeps what was typed and rests its keys, and goes on where it was', async (screen) => {
    const { page } = open
    await showScreen(page, screen, screen === 'compare' ? compareQuery : '')
    const api = callEngine(engine)
    const [dataset] = await api.datasets.list({})
    const note = page.getByTestId('too-small')
    const name = page.getByRole('region', { name: 'Next run' }).getByRole('textbox', { name: 'Name', exact: true })
    if (screen === 'curate') await canvasDriver(page, 'image').ready()
    if (screen === 'train') {
      await page.getByRole('button', { name: 'Next run' }).click()
      await name.fill('half typed')
    }
    expect(await note.count()).toBe(0)
    await page.setViewportSize({ width: 320, height: 400 })
    await note.getByText('This window is too small for this screen').waitFor()
    await takePicture(page, `too-small-${screen}`)
    const panes = page.locator('main [data-canvas], main input, main canvas')
    expect(await panes.evaluateAll((parts: { checkVisibility: () => boolean }[]) => parts.filter((part) => part.checkVisibility()).length)).toBe(0)
    await page.locator('body').press('a')
    const status = (await page.getByTestId('save-state').boundingBox())!
    expect([status.x >= 0, status.x + status.width <= 320, status.y + status.height <= 400]).toEqual([true, true, true])
    expect(await findingsOf(page)).toEqual([])
    await page.setViewportSize({ width: 720, height: 450 })
    await note.waitFor({ state: 'detached' })
    if (screen === 'curate') await canvasDriver(page, 'image').ready()
    if (screen === 'train') expect(await name.inputValue()).toBe('half typed')
    await page.waitForTimeout(200)
    await takePicture(page, `large-again-${screen}`)
    expect((await api.datasets.list({})).find((one) => one.id === dataset!.id)!.reviewed).toBe(0)
    if (screen === 'curate') {
      await page.locator('body').press('a')
      await expect.poll(async () => (await api.datasets.list({})).find((one) => one.id === dataset!.id)!.reviewed).toBe(1)
      await page.locator('body').press('Control+z')
      await expect.poll(async () => (await api.datasets.list({})).find((one) => one.id === dataset!.id)!.reviewed).toBe(0)
    }
    api.close()
    expect(open.faults).toEqual([])
  })

  it.each(['#/nonsense', '#/train?run=99999', '#/compare?a=1&b=2'])('a link to %s says that it leads to nothing', async (hash) => {
    const { page } = open
    await page.goto(new URL(hash, page.url()).href)
    await page.getByText('This link leads to nothing here').waitFor()
    await page.getByRole('region', { name: 'News' }).getByRole('button', { name: 'Dismiss' }).first().click()
    await page.getByText('This link leads to nothing here').waitFor({ state: 'detached' })
  })

  it('dialogs and the palette', async () => {
    const { page } = open
    await showScreen(page, 'library')
    for (const [key, name] of [['?', 'shortcuts'], ['Control+k', 'palette'], ['e', 'export']] as const) {
      await page.locator('body').press(key)
      await page.getByRole('dialog').waitFor()
      await page.waitForTimeout(200)
      await takePicture(page, `zoom-${name}`)
      expect(await outside(page), name).toEqual([])
      expect(await cutOff(page), name).toEqual([])
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
  })
})

/** Controls of which less than half shows through a box around them that cuts off and does not scroll. */
function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const found = []
    for (const element of document.querySelectorAll('button, a, input, select, textarea, [role=button], [role=slider], [data-canvas]')) {
      const box = element.getBoundingClientRect()
      if (box.width < 2 || box.height < 2 || !element.checkVisibility({ visibilityProperty: true }) || element.closest('[hidden], [inert], .visually-hidden')) continue
      // What scrolls may bring it in further out; from there on the scrolling box itself is looked at.
      let part = box
      for (let parent = element.parentElement; parent && parent !== document.body; parent = parent.parentElement) {
        const { overflowX, overflowY } = getComputedStyle(parent)
        const frame = parent.getBoundingClientRect()
        if (/(auto|scroll)/.test(overflowX + overflowY)) part = frame
        else if (/(hidden|clip)/.test(overflowX + overflowY)) {
          const width = Math.min(part.right, frame.right) - Math.max(part.left, frame.left)
          const height = Math.min(part.bottom, frame.bottom) - Math.max(part.top, frame.top)
          if (width < part.width / 2 && width < 24 || height < part.height / 2 && height < 24) {
            found.push((element.getAttribute('aria-label') || element.textContent || element.tagName).trim().slice(0, 40))
            break
          }
        }
      }
    }
    return found
  })()`)
}
