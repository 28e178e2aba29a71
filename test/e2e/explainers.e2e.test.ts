/** The choice of explainer in Curate and Compare, and the tests of the explanation beside the pointing game. */
import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findChromium, NO_BROWSER, type OpenPage, openPage } from './browser.ts'
import { callEngine, type EngineClient } from './call.ts'
import { makeSmallDemo, type ServedEngine, serve, temporaryFolder } from './engine.ts'
import { showScreen, takePicture } from './screens.ts'

const chromium = findChromium()

describe.skipIf(!chromium)(`explainers on the screens${chromium ? '' : ` (${NO_BROWSER})`}`, () => {
  let folder: { path: string; remove: () => Promise<void> }
  let engine: ServedEngine
  let open: OpenPage
  let compareQuery = ''
  let api: EngineClient

  beforeAll(async () => {
    folder = await temporaryFolder('explainers')
    engine = await serve(`${folder.path}/project`)
    api = callEngine(engine)
    await api.ended((await api.datasets.import({ path: await makeSmallDemo(`${folder.path}/small-demo`), name: 'small demo' })).id)
    const [dataset] = await api.datasets.list({})
    const checkpoints = await api.checkpoints.list({})
    for (const { id } of checkpoints.slice(0, 2)) await api.ended((await api.scores.compute({ datasetId: dataset!.id, checkpointId: id, splits: ['val'] })).id)
    for (const { id } of checkpoints.slice(0, 2)) await api.ended((await api.trust.compute({ datasetId: dataset!.id, checkpointId: id, split: 'val', samples: 4 })).id)
    compareQuery = `dataset=${dataset!.id}&a=${checkpoints[1]?.id ?? ''}&b=${checkpoints[0]?.id ?? ''}&split=val`
    open = await openPage(engine, { theme: 'dark' })
  })
  afterAll(async () => {
    api?.close()
    await open?.close()
    await engine?.close()
    await folder?.remove()
  })

  const serious = async (): Promise<string[]> =>
    (await new AxeBuilder({ page: open.page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze()).violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(' | ')}`)

  it('Curate draws the chosen one, says what it says, and keeps the scores of the usual one', async () => {
    const { page } = open
    await showScreen(page, 'curate')
    await page.locator('[data-heat]').first().waitFor()
    await page.getByTestId('score-now').filter({ hasText: /\d/ }).waitFor()
    const before = await page.getByTestId('score-now').textContent()
    await expect.poll(() => page.getByTestId('explainer-says').textContent()).toContain('where looking more would raise the match')
    await page.getByTestId('explainer').click()
    await takePicture(page, 'curate-explainers-open')
    await page.getByRole('option', { name: 'Gradient rollout', exact: true }).click()
    await expect.poll(() => page.getByTestId('explainer-says').textContent()).toMatch(/through every path.*stay those of Grad-CAM \(AMC\)/)
    await page.locator('[data-heat]:not([data-stale])').first().waitFor()
    expect(await page.getByTestId('score-now').textContent()).toBe(before)
    await takePicture(page, 'curate-gradient-rollout')
    expect(await serious()).toEqual([])
    await page.setViewportSize({ width: 1024, height: 700 })
    await takePicture(page, 'curate-gradient-rollout-1024')
    await page.setViewportSize({ width: 1440, height: 900 })
  })

  it('Compare has the same choice for a pair, and shows what was tested', async () => {
    const { page } = open
    await showScreen(page, 'compare', compareQuery)
    await page.getByTestId('trust').getByText('Small shifts').waitFor()
    await page.getByTestId('explainer').click()
    await page.getByRole('option', { name: 'Attention rollout', exact: true }).click()
    await expect.poll(() => page.getByTestId('explainer-says').textContent()).toMatch(/may have come from.*stay those of Grad-CAM \(AMC\)/)
    // What was tested is of the explainer that is chosen.
    await expect.poll(() => page.getByTestId('trust').innerText()).toContain('Not yet tested here')
    await page.getByTestId('explainer').click()
    await page.getByRole('option', { name: 'Grad-CAM (AMC)', exact: true }).click()
    await page.getByTestId('trust').getByText('Small shifts').waitFor()
    await page.getByTestId('trust').scrollIntoViewIfNeeded()
    await page.waitForTimeout(500)
    await takePicture(page, 'compare-trust')
    expect(await serious()).toEqual([])
    for (const column of [2, 3]) {
      expect(await page.getByTestId('trust').locator(`tbody td:nth-child(${column})`).allTextContents()).toEqual(Array.from({ length: 4 }, () => expect.stringMatching(/^−?\d\.\d\d$/) as string))
    }
    await page.getByRole('button', { name: 'Test again' }).click()
    await page.getByTestId('trust').getByRole('progressbar').first().waitFor()
    await takePicture(page, 'compare-trust-running')
    const cancel = page.getByTestId('trust').getByRole('button', { name: 'Cancel' })
    await cancel.first().click()
    await expect.poll(async () => (await api.jobs.list({})).some((job) => job.kind === 'trust' && job.state === 'cancelled')).toBe(true)
    await expect.poll(async () => {
      // The other one waited behind it; it may end by itself just now.
      if ((await cancel.count()) > 0) await cancel.first().click({ timeout: 5000 }).catch(() => {})
      return cancel.count()
    }, { timeout: 60_000 }).toBe(0)
    await page.getByRole('button', { name: 'Test again' }).waitFor({ timeout: 60_000 })
    // A cancelled test leaves what was measured before.
    await expect.poll(() => page.getByTestId('trust').locator('tbody td:nth-child(2)').first().textContent()).toMatch(/^\d\.\d\d$/)
    await page.setViewportSize({ width: 1024, height: 700 })
    await takePicture(page, 'compare-trust-1024')
    expect(open.faults).toEqual([])
  })
})
