/** The Compare screen through the page, on a project whose checkpoints have heat and scores: every part, its address, and its way to Curate. */
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ComparedProject, makeComparedProject } from '../support/compared-project.ts'
import { findChromium, NO_BROWSER, openPage, type OpenPage } from './browser.ts'
import { callEngine, type EngineClient } from './call.ts'
import { makeSmallDemo, serve, type ServedEngine, temporaryFolder } from './engine.ts'
import { showScreen, takePicture } from './screens.ts'

const LEFT_TO_RIGHT = ['a', 'b', 'c', 'd'] as const

describe.skipIf(!findChromium())(`the Compare screen${findChromium() ? '' : ` (${NO_BROWSER})`}`, () => {
  let folder: { path: string; remove: () => Promise<void> }
  let project: ComparedProject
  let engine: ServedEngine
  let client: EngineClient
  let open: OpenPage

  beforeAll(async () => {
    folder = await temporaryFolder('compare')
    project = await makeComparedProject(join(folder.path, 'project'), await makeSmallDemo(join(folder.path, 'demo')))
    engine = await serve(join(folder.path, 'project'))
    client = callEngine(engine)
    open = await openPage(engine)
  }, 300_000)
  afterAll(async () => {
    await open?.close()
    client?.close()
    await engine?.close()
    await folder?.remove()
  })

  const query = (count: number, more = '') => `dataset=${project.datasetId}&${LEFT_TO_RIGHT.slice(0, count).map((side, i) => `${side}=${project.checkpointIds[i + 5 - count]!}`).join('&')}&split=val${more}`
  const show = async (count: number, more = '') => {
    await showScreen(open.page, 'compare', query(count, more))
    await open.page.getByTestId('headline-pointingGame').waitFor()
  }
  const asked = (count: number) => client.compare.get({ population: { datasetId: project.datasetId, split: 'val' }, checkpointIds: project.checkpointIds.slice(5 - count) })

  it('compares four checkpoints, every pair of them, and says the same numbers as the engine', async () => {
    await show(4)
    const { page } = open
    const comparison = await asked(4)
    expect(comparison.pairs).toHaveLength(6)
    await expect.poll(() => page.getByTestId(/^pair-\d\d$/).count()).toBe(6)
    for (const pair of comparison.pairs) {
      await page.getByTestId(`pair-${pair.a}${pair.b}`).click()
      await expect.poll(async () => (await page.getByTestId('compare-cell-fixed').innerText()).replace(/\D+/g, '')).toBe(String(pair.matrix.fixed))
      const { change, interval } = pair.headline.pointingGame
      const text = (await page.getByTestId('headline-pointingGame').innerText()).replaceAll('−', '-')
      expect(text).toContain((change * 100).toFixed(2))
      expect(text).toContain(`95 % ${interval!.method}`)
      expect(text).toContain((interval!.low * 100).toFixed(2))
      expect(text).toContain((interval!.high * 100).toFixed(2))
    }
    await expect.poll(() => page.getByText(/for 6 pairs/).count()).toBe(1)
    await takePicture(page, 'compare-four-dark-1440')
  })

  it('adds a checkpoint, takes one out, and turns a pair round', async () => {
    await show(2)
    const { page } = open
    const fixed = async () => (await page.getByTestId('compare-cell-fixed').innerText()).replace(/\D+/g, '')
    const broken = async () => (await page.getByTestId('compare-cell-broken').innerText()).replace(/\D+/g, '')
    const [f, b] = [await fixed(), await broken()]
    await page.getByRole('button', { name: 'Swap A and B' }).click()
    await expect.poll(fixed).toBe(b)
    expect(await broken()).toBe(f)
    await page.getByRole('button', { name: 'Add' }).click()
    await page.getByTestId('pair-12').waitFor()
    await page.getByRole('button', { name: 'Take C out' }).click()
    await expect.poll(() => page.getByTestId('pair-12').count()).toBe(0)
  })

  it('brushes both charts together, by pointer and by keys, and picks slices', async () => {
    await show(2, '&cell=all&chart=both')
    const { page } = open
    const total = (await asked(2)).regions
    const shown = async () => Number(/^(\d+)/.exec(await page.getByText(/ in brush/).innerText())?.[1])
    const charts = page.locator('[aria-roledescription="chart"]')
    await expect.poll(() => charts.count()).toBe(2)
    await charts.first().focus()
    await page.keyboard.press('ArrowUp')
    const first = await shown()
    expect(first).toBeLessThan(total)
    await charts.nth(1).focus()
    await page.keyboard.press('ArrowRight')
    await expect.poll(shown).toBeLessThanOrEqual(first)
    const both = await shown()
    expect(decodeURIComponent(page.url())).toMatch(/ba=0.25~0.75.*bc=-0.25~0.25/)
    // What was brushed is what the rows say.
    const { rows } = await asked(2)
    const within = (value: number, low: number, high: number) => value >= low && value <= high
    expect(rows.filter(({ scores: [a, b] }) => within(a!.insideEnergy!, 0.25, 0.75) && within(b!.insideEnergy!, 0.25, 0.75) && within(b!.insideEnergy! - a!.insideEnergy!, -0.25, 0.25)).length).toBe(both)
    const box = (await charts.nth(1).boundingBox())!
    await page.mouse.move(box.x + box.width * 0.3, box.y + 40)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.9, box.y + 80, { steps: 4 })
    await page.mouse.up()
    await takePicture(page, 'compare-brushed-dark-1440')
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByText(/ in brush/).count()).toBe(0)
    const slice = page.getByTestId('slice').filter({ hasText: 'Colour word' })
    await slice.click()
    await expect.poll(() => slice.getAttribute('aria-pressed')).toBe('true')
    const comparison = await asked(2)
    const colour = comparison.pairs[0]!.slices.find((one) => one.name === 'Colour word')!
    await page.getByText(`${colour.regions} pairs · Colour word`).waitFor()
  })

  it('draws the slices as a forest plot with every number in a table behind it', async () => {
    await show(4, '&panel=slices')
    const { page } = open
    const comparison = await asked(4)
    const table = page.getByTestId('slice-table')
    await table.waitFor()
    await expect.poll(() => table.getByRole('row').count()).toBe(comparison.pairs[0]!.slices.length + 1)
    await expect.poll(() => page.getByTestId('figure').count()).toBe(2)
    const caption = await page.getByTestId('figure').last().locator('figcaption').innerText()
    for (const part of [`n = ${comparison.regions} phrases of ${comparison.images} images`, 'AMC strict', 'seed 1', '10,000 draws of whole images', `adjusted by Holm for ${comparison.method.sliceTests} tests`]) expect(caption).toContain(part)
    await takePicture(page, 'compare-slices-dark-1440')
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'SVG' }).last().click()])
    expect(download.suggestedFilename()).toMatch(/^slices .*\.svg$/)
    const [picture] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'PNG' }).last().click()])
    expect(picture.suggestedFilename()).toMatch(/\.png$/)
    await page.getByRole('button', { name: 'Percentile' }).click()
    expect(page.url()).toContain('interval=percentile')
    await expect.poll(async () => page.getByTestId('figure').last().locator('figcaption').innerText()).toContain('percentile bootstrap intervals')
  })

  it('shows one phrase under every kept checkpoint of the run, on one scale', async () => {
    await show(2, '&panel=timeline')
    const { page } = open
    const frames = page.getByTestId('timeline').getByRole('listitem')
    await expect.poll(() => frames.count()).toBe(2)
    await expect.poll(async () => (await frames.allInnerTexts()).every((text) => /step \d+/.test(text) && /(hit|miss)/.test(text) && /0\.\d\d/.test(text))).toBe(true)
    await page.getByText(/all drawn on one scale/).waitFor()
    await takePicture(page, 'compare-timeline-dark-1440')
  })

  it('says why they differ: settings, and which regions in which form', async () => {
    await showScreen(open.page, 'compare', `dataset=${project.datasetId}&a=${project.checkpointIds[2]!}&b=${project.checkpointIds[4]!}&split=val&panel=changes`)
    const { page } = open
    const changes = page.getByTestId('changes')
    await changes.waitFor()
    const text = await changes.innerText()
    for (const part of ['loss.amc', 'seed', '1 region edited between', '1 only in B', '38 the same', 'revision 1 → 2', 'Run 1, step 300', 'Run 2, step 600']) expect(text).toContain(part)
    await takePicture(page, 'compare-changes-dark-1440')
    await showScreen(page, 'compare', query(2, '&panel=changes').replace(project.checkpointIds[3]!, project.checkpointIds[0]!))
    await page.getByText(/Not from a run of this project/).waitFor()
  })

  it('keeps every state in the address: a reload shows the same', async () => {
    await show(3, '&pair=12&cell=all&chart=both&order=loss&mode=side&scale=own&ba=0.1~0.9&bb=0~1&interval=percentile')
    const { page } = open
    await page.getByRole('listbox', { name: 'Pairs' }).getByRole('option').nth(1).click()
    const stage = page.getByTestId('pair-stage')
    await page.locator('[data-testid="pair-stage"][data-ready="true"]').waitFor()
    const box = (await stage.boundingBox())!
    await page.mouse.move(box.x + box.width / 4, box.y + box.height / 3)
    await page.mouse.wheel(0, -400)
    await expect.poll(() => page.url()).toContain('camera=')
    const look = async () => ({
      url: page.url(), mode: await stage.getAttribute('data-mode'), scale: await page.getByRole('combobox', { name: 'Scale of the heat' }).innerText(), order: await page.getByRole('combobox', { name: 'Order of pairs' }).innerText(),
      pressed: await page.locator('[aria-pressed="true"]').allInnerTexts(), headline: await page.getByTestId('headline-pointingGame').innerText(), picked: await page.getByRole('option', { selected: true }).getAttribute('id'), brushed: await page.getByText(/ in brush/).innerText(),
    })
    const before = await look()
    await page.reload()
    await page.locator('[data-testid="pair-stage"][data-ready="true"]').waitFor()
    expect(await look()).toEqual(before)
  })

  it('opens exactly the list of a gallery in Curate, once', async () => {
    await show(2, '&cell=broken')
    const { page } = open
    const comparison = await asked(2)
    const broken = comparison.rows.filter(({ scores: [a, b] }) => a!.pointingHit && !b!.pointingHit).map((row) => row.regionId)
    await page.getByRole('button', { name: 'Open this list in Curate' }).click()
    await page.locator('main[data-screen="curate"]').waitFor()
    await page.getByTestId('queue').waitFor()
    await expect.poll(() => page.getByTestId('queue').getByRole('option').first().getAttribute('aria-setsize')).toBe(String(broken.length))
    const views = (await client.views.list({ datasetId: project.datasetId })).filter((view) => view.filter.regionIds)
    expect(views).toHaveLength(1)
    expect([...views[0]!.filter.regionIds!].sort()).toEqual([...broken].sort())
    await takePicture(page, 'compare-list-in-curate-dark-1440')
    await show(2, '&cell=broken&order=phrase')
    await page.getByRole('button', { name: 'Open this list in Curate' }).click()
    await page.getByTestId('queue').waitFor()
    expect((await client.views.list({ datasetId: project.datasetId })).filter((view) => view.filter.regionIds)).toHaveLength(1)
  })

  it('compares on a saved view, and offers to score what a split lacks', async () => {
    const { page } = open
    const [view] = (await client.views.list({ datasetId: project.datasetId })).filter((one) => one.filter.regionIds)
    await showScreen(page, 'compare', `${query(2).replace('&split=val', '')}&view=${view!.id}&cell=all`)
    await page.getByTestId('headline-pointingGame').waitFor()
    await expect.poll(async () => (await page.getByTestId('compare-cell-broken').innerText()).replace(/\D+/g, '')).toBe(String(view!.count))
    await showScreen(page, 'compare', query(3).replace('split=val', 'split=train'))
    await page.getByRole('button', { name: 'Score all 3' }).waitFor()
    await takePicture(page, 'compare-missing-dark-1440')
  })

  for (const [theme, width, height] of [['dark', 1440, 900], ['light', 1440, 900], ['dark', 1024, 700], ['light', 1024, 700]] as const) {
    it(`is without serious findings and inside its window: ${theme}, ${width} px`, async () => {
      const other = await openPage(engine, { theme, width, height })
      try {
        for (const [name, count, more] of [['two', 2, ''], ['four', 4, '&chart=both&cell=all'], ['slices', 4, '&panel=slices'], ['timeline', 2, '&panel=timeline'], ['changes', 2, '&panel=changes']] as const) {
          await showScreen(other.page, 'compare', query(count, more))
          await other.page.getByTestId('headline-pointingGame').waitFor()
          await other.page.locator('[data-testid="pair-stage"][data-ready="true"]').waitFor()
          await takePicture(other.page, `compare-${name}-${theme}-${width}`)
          expect(await other.page.evaluate('document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight')).toBe(true)
          const { violations } = await new AxeBuilder({ page: other.page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze()
          const serious = violations.filter((one) => one.impact === 'serious' || one.impact === 'critical')
          expect(serious.map((one) => `${name} ${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(' | ')}`)).toEqual([])
        }
        expect(other.faults).toEqual([])
      } finally {
        await other.close()
      }
    })
  }

  it('wrote no error to the console all along', () => expect(open.faults).toEqual([]))
})
