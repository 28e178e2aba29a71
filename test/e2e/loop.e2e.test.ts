/** Once round: correct a box, train on what was corrected, see which corrections the run was the first to see and what they did, compare. */
import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Page } from 'playwright-core'
import { findChromium, NO_BROWSER, type OpenPage, openPage } from './browser.ts'
import { callEngine, type EngineClient } from './call.ts'
import { canvasDriver } from './canvas-driver.ts'
import { makeSmallDemo, type ServedEngine, serve, temporaryFolder } from './engine.ts'
import { type ProjectReader, readProject } from './project-reader.ts'
import { showScreen, takePicture } from './screens.ts'

const SMALL = { 'batch.images': 4, 'batch.phrases': 1, 'validation.images': 6, 'validation.probes': 3, 'validation.every': 4, 'save.every': 4 }
/** A model on a busy machine takes its time. */
const WAIT = { timeout: 400_000 }

const chromium = findChromium()
if (!chromium) console.warn(NO_BROWSER)

vi.setConfig({ testTimeout: 900_000 })

describe.skipIf(!chromium)(`the loop${chromium ? '' : ` (${NO_BROWSER})`}`, () => {
  let folder: { path: string; remove: () => Promise<void> }
  let engine: ServedEngine
  let open: OpenPage
  let page: Page
  let api: EngineClient
  let stored: ProjectReader
  let datasetId = ''
  let startId = ''
  let corrected = ''

  beforeAll(async () => {
    folder = await temporaryFolder('loop')
    engine = await serve(`${folder.path}/project`)
    api = callEngine(engine)
    await api.ended((await api.datasets.import({ path: await makeSmallDemo(`${folder.path}/small-demo`), name: 'small demo' })).id)
    datasetId = (await api.datasets.list({}))[0]!.id
    const run = await api.runs.start({ preset: 'demo-amc', overrides: { ...SMALL, steps: 4 }, datasetId, name: 'first' })
    await api.runEnded(run.id)
    startId = (await api.checkpoints.list({})).find((checkpoint) => checkpoint.runId === run.id && checkpoint.best)!.id
    open = await openPage(engine)
    page = open.page
    stored = readProject(engine.projectDir)
  }, 600_000)
  afterAll(async () => {
    stored?.close()
    api?.close()
    await open?.close()
    await engine?.close()
    await folder?.remove()
  })

  const since = () => page.getByTestId('changed-since')
  const add = () => page.getByRole('button', { name: /Add to queue/ })
  async function pictures(name: string): Promise<void> {
    for (const theme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme: theme })
      for (const [width, height] of [[1440, 900], [1024, 700]] as const) {
        await page.setViewportSize({ width, height })
        await page.waitForTimeout(250)
        await takePicture(page, `loop-${name}-${theme}-${width}`)
      }
    }
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width: 1440, height: 900 })
  }

  async function accessible(): Promise<void> {
    for (const theme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme: theme })
      await page.waitForTimeout(250)
      const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze()
      const serious = violations.filter((one) => one.impact === 'serious' || one.impact === 'critical')
      expect(serious.map((one) => `${theme} ${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(' | ')}`)).toEqual([])
    }
    await page.emulateMedia({ colorScheme: 'dark' })
  }

  it('does not train on nothing new unless it is wanted all the same', async () => {
    await showScreen(page, 'train')
    await page.getByRole('button', { name: 'Train on what I changed' }).click()
    await since().getByText('Nothing was corrected since the data of run 1').waitFor()
    // As the run of the checkpoint was trained.
    await expect.poll(() => page.getByRole('textbox', { name: /^Images a step/ }).inputValue()).toBe('4')
    await expect.poll(() => add().isDisabled()).toBe(true)
    await page.waitForTimeout(800) // longer than the form waits before it asks what a run needs
    expect(await add().isDisabled()).toBe(true)
    await pictures('nothing-new')
    await accessible()
    await page.getByRole('button', { name: 'Train all the same' }).click()
    await expect.poll(() => add().isDisabled(), WAIT).toBe(false)
  })

  it('goes from a corrected box to a run that is told how much is new to it', async () => {
    await showScreen(page, 'curate', `dataset=${datasetId}`)
    const image = canvasDriver(page, 'image')
    await image.ready()
    corrected = (await page.getByTestId('queue').locator('[role="option"][aria-current="true"]').getAttribute('data-region'))!
    const box = stored.region(corrected).boxes[0]!
    await image.select(box)
    await image.dragBox(box, box[0] > 48 ? -20 : 20, 0)
    await expect.poll(() => stored.region(corrected).boxes[0]).not.toEqual(box)
    await page.keyboard.press('Control+k')
    await page.keyboard.type('Train on what I changed')
    await page.getByRole('option', { name: /Train on what I changed/ }).first().waitFor()
    await page.keyboard.press('Enter')
    await page.locator('main[data-screen="train"]').waitFor()
    await since().getByText('1 correction since the data of run 1. This run will be the first to see it.').waitFor()
    await expect.poll(() => page.getByRole('textbox', { name: /^Name/ }).first().inputValue()).toMatch(/^Corrections since /)
    await pictures('new')
    await page.getByRole('textbox', { name: /^Steps/ }).fill('5')
    await expect.poll(() => add().isDisabled(), WAIT).toBe(false)
    await add().click()
    await expect.poll(async () => (await api.runs.list({})).map(({ number, startCheckpointId }) => [number, startCheckpointId])).toContainEqual([2, startId])
  })

  it('offers the comparison by itself once the run is finished', async () => {
    await showScreen(page, 'library')
    const news = page.getByRole('region', { name: 'News' })
    await news.getByText('Run 2 is finished').waitFor(WAIT)
    await news.getByRole('button', { name: 'Compare' }).waitFor()
    await takePicture(page, 'loop-toast-dark-1440')
    // The news go after a moment; the list of what happened keeps the way there.
    const href = await page.getByRole('region', { name: 'Activity' }).getByRole('listitem').filter({ hasText: 'Run 2 finished' }).getByRole('link', { name: 'Compare' }).getAttribute('href')
    expect(new URLSearchParams(href!.split('?')[1]).get('a')).toBe(startId)
  })

  it('shows on the page of the run what the corrections were, and computes what they did', async () => {
    await showScreen(page, 'train')
    const run = (await api.runs.list({})).find(({ number }) => number === 2)!
    const outcome = page.getByTestId('outcome')
    await outcome.getByText(/of val lack a score/).waitFor()
    await pictures('unscored')
    await outcome.getByRole('button', { name: 'Score what is missing' }).click()
    await outcome.getByText('Pointing game').waitFor(WAIT)
    await expect.poll(() => outcome.getByText(/lack a score|Scoring/).count(), WAIT).toBe(0)
    const best = (await api.checkpoints.list({})).find((checkpoint) => checkpoint.runId === run.id && checkpoint.best)!
    const comparison = await api.compare.get({ population: { datasetId, split: 'val' }, checkpointIds: [startId, best.id] })
    const { consistency, pointingGame } = comparison.pairs[0]!.headline
    const text = (await outcome.innerText()).replaceAll('−', '-').replace(/\s+/g, ' ')
    expect(text).toContain(`${consistency!.a.toFixed(3)} → ${consistency!.b.toFixed(3)}`)
    expect(text).toContain(`${(pointingGame.a * 100).toFixed(1)} % → ${(pointingGame.b * 100).toFixed(1)} %`)
    await pictures('scored')
    await accessible()
    await page.getByRole('button', { name: 'Show the corrections' }).click()
    const dialog = page.getByRole('dialog')
    await expect.poll(() => dialog.getByRole('row').count()).toBe(2)
    await dialog.getByRole('link', { name: stored.region(corrected).phrase }).waitFor()
    await takePicture(page, 'loop-corrections-dark-1440')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
  })

  it('opens the corrections in Curate as a list', async () => {
    await page.getByRole('button', { name: 'Open them in Curate' }).click()
    await page.locator('main[data-screen="curate"]').waitFor()
    const rows = page.getByTestId('queue').getByRole('option')
    await expect.poll(() => rows.evaluateAll((all: { dataset: Record<string, string> }[]) => all.map((one) => one.dataset['region']))).toEqual([corrected])
  })

  it('opens the comparison of the best checkpoint with the one it began from, on what is held out', async () => {
    await showScreen(page, 'train')
    await page.getByTestId('outcome').getByRole('link', { name: 'Compare' }).click()
    await page.locator('main[data-screen="compare"]').waitFor()
    await page.getByTestId('headline-pointingGame').waitFor()
    const params = new URLSearchParams(new URL(page.url()).hash.split('?')[1])
    const run = (await api.runs.list({})).find(({ number }) => number === 2)!
    const best = (await api.checkpoints.list({})).find((checkpoint) => checkpoint.runId === run.id && checkpoint.best)!
    expect([params.get('a'), params.get('b'), params.get('split')]).toEqual([startId, best.id, 'val'])
  })

  it('says the same in Chinese', async () => {
    await page.evaluate("localStorage.setItem('amc.language', 'zh-CN')")
    await page.reload()
    await showScreen(page, 'train')
    await page.getByTestId('outcome').getByText('与起点相比').waitFor()
    await page.getByRole('button', { name: '用我的更改训练' }).click()
    await since().getByText(/训练 2 的数据以来没有任何修正/).waitFor()
    await pictures('chinese')
    await page.getByRole('button', { name: '高级' }).click()
    await page.getByText('随机种子').first().waitFor()
    await page.getByText('保存间隔').first().waitFor()
    await takePicture(page, 'loop-chinese-advanced')
  })

  it('wrote no error to the console all along', () => {
    expect(open.faults).toEqual([])
  })
})
