/**
 * The model as a colleague: it says why a region may be wrong, offers what would mend it, and learns from what is made of it. One page, one
 * engine, the shipped checkpoint; each step goes on where the last one ended.
 */
import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Locator, Page } from 'playwright-core'
import { prepareHeat, scoreRegion } from '../../src/shared/consistency.ts'
import { boxesOnly } from '../../src/shared/shape.ts'
import { findChromium, NO_BROWSER } from './browser.ts'
import { callEngine } from './call.ts'
import type { CanvasDriver } from './canvas-driver.ts'
import { type Eyes, eyesOn, openStory, type Stage, type Story } from './open-story.ts'
import type { ProjectReader } from './project-reader.ts'
import { takePicture } from './screens.ts'

const chromium = findChromium()
if (!chromium) console.warn(NO_BROWSER)

describe.skipIf(!chromium)(`suspects in Curate${chromium ? '' : ` (${NO_BROWSER})`}`, () => {
  let story: Story
  let page: Page
  let image: CanvasDriver
  let stored: ProjectReader
  let datasetId: string
  let checkpointId: string
  /** Two phrases of one image whose boxes were exchanged. */
  let swapped: readonly [string, string]
  let rows: Eyes['rows']
  let regionId: Eyes['regionId']
  let allSaved: Eyes['allSaved']

  const prepare = async (stage: Stage): Promise<string> => {
    const { api } = stage
    ;({ stored, datasetId } = stage)
    checkpointId = (await api.checkpoints.list({})).find((one) => one.name.toLowerCase().includes('with amc'))!.id
    await api.ended((await api.scores.compute({ datasetId, checkpointId, splits: ['val'] })).id)
    const [pair] = stored.rows(
      `SELECT a.id AS a, b.id AS b FROM regions a JOIN regions b ON b.image_id = a.image_id AND b.position > a.position JOIN scores s ON s.region_id = a.id JOIN scores t ON t.region_id = b.id
       WHERE a.split = 'val' AND s.inside_energy > 0.75 AND t.inside_energy > 0.75 AND s.pointing_hit = 1 AND t.pointing_hit = 1 ORDER BY a.position LIMIT 1`,
    )
    swapped = [String(pair!['a']), String(pair!['b'])]
    const [a, b] = swapped.map((id) => stored.region(id))
    await api.regions.apply({ editId: 'exchange', label: 'Exchanged', edits: [
      { regionId: swapped[0], revision: 1, diff: { boxes: { before: a!.boxes, after: b!.boxes } } }, { regionId: swapped[1], revision: 1, diff: { boxes: { before: b!.boxes, after: a!.boxes } } },
    ] })
    await vi.waitFor(() => expect(stored.count('SELECT count(*) FROM scores WHERE checkpoint_id = ? AND evidence IS NULL', checkpointId)).toBe(0), { timeout: 60_000, interval: 100 })
    return `&checkpoint=${checkpointId}&sort=suspect`
  }
  beforeAll(async () => {
    story = await openStory('suspects', { prepare })
    ;({ page, image } = story)
    ;({ rows, regionId, allSaved } = eyesOn(page))
    await banner().waitFor()
  })
  afterAll(() => story?.close())

  const banner = (): Locator => page.getByTestId('banner')
  const reasons = (): Locator => page.getByTestId('reasons').getByRole('listitem')
  const mend = (): Locator => page.getByTestId('mend')
  const goTo = async (id: string) => {
    await page.locator(`[data-testid="queue"] [data-region="${id}"]`).click()
    await expect.poll(regionId).toBe(id)
    await mend().waitFor()
  }

  it('puts the exchanged pair among the first suspects and says why, strongest reason first', async () => {
    const order = await rows().evaluateAll((elements: { readonly dataset: Readonly<Record<string, string>> }[]) => elements.map((element) => element.dataset['region']))
    for (const id of swapped) expect(order.slice(0, 12)).toContain(id)
    await goTo(swapped[0])
    await expect.poll(() => banner().innerText()).toContain('Likely wrong region')
    const names = await reasons().evaluateAll((elements: { readonly dataset: Readonly<Record<string, string>> }[]) => elements.map((element) => element.dataset['reason']))
    expect(names[0]).toBe('outside')
    expect(names).toContain('swap')
    await expect.poll(() => reasons().first().innerText()).toMatch(/^\d+ % of the heat lies outside the boxes; .* \d+ % is usual\.$/)
    await expect.poll(() => reasons().filter({ hasText: 'Swapped with' }).innerText()).toContain(stored.region(swapped[1]).phrase)
    await takePicture(page, 'curate-suspect-reasons-dark-1440')
    const { violations } = await new AxeBuilder({ page }).include('[data-testid="banner"]').analyze()
    expect(violations.map((one) => one.id)).toEqual([])
  })

  it('offers the swap first, and by key the other mends in turn, each drawn and with what it would reach', async () => {
    await expect.poll(() => mend().getAttribute('data-mend')).toBe('swap')
    const words = () => mend().innerText()
    expect(await words()).toMatch(/Mend 1 of \d+\. Swap boxes with “.*”: consistency 0\.\d\d → 0\.\d\d/)
    const first = await words()
    await image.press('w')
    await expect.poll(words).not.toBe(first)
    const second = await words()
    await image.press('w')
    await expect.poll(words).not.toBe(second)
    await image.press('Shift+w')
    await expect.poll(words).toBe(second)
    await image.press('Shift+w')
    await expect.poll(words).toBe(first)
    await page.getByRole('button', { name: 'Next mend' }).click()
    await expect.poll(words).toBe(second)
    await page.getByRole('button', { name: 'Previous mend' }).click()
    await expect.poll(words).toBe(first)
  })

  it('swaps with one key, as one edit with its own name; undo brings both back, and what was learned goes with it', async () => {
    const before = swapped.map((id) => stored.region(id))
    await image.press('f')
    await expect.poll(() => stored.region(swapped[0]).boxes).toEqual(before[1]!.boxes)
    expect(stored.region(swapped[1]).boxes).toEqual(before[0]!.boxes)
    expect(stored.region(swapped[0]).status).toBe('accepted')
    expect(stored.region(swapped[1]).status).toBe('unreviewed')
    await allSaved()
    expect(stored.rows("SELECT label FROM edits WHERE state = 'done' ORDER BY seq DESC LIMIT 1")[0]!['label']).toBe(`Boxes swapped with “${before[1]!.phrase}”`)
    expect(stored.count("SELECT count(*) FROM suspect_decisions d JOIN edits e ON e.id = d.edit_id WHERE e.state = 'done' AND agreed = 1")).toBe(1)
    await page.keyboard.press('Control+z')
    await expect.poll(() => stored.region(swapped[1]).boxes).toEqual(before[1]!.boxes)
    expect(stored.region(swapped[0]).boxes).toEqual(before[0]!.boxes)
    expect(stored.count("SELECT count(*) FROM suspect_decisions d JOIN edits e ON e.id = d.edit_id WHERE e.state = 'done'")).toBe(0)
    await page.keyboard.press('Control+Shift+z')
    await expect.poll(() => stored.region(swapped[1]).boxes).toEqual(before[0]!.boxes)
    await allSaved()
    await expect.poll(() => stored.count('SELECT count(*) FROM scores WHERE region_id = ? AND trust > 0.8', swapped[0])).toBe(1)
  })

  it('takes another mend that was walked to', async () => {
    const api = callEngine(story.engine)
    const { rows: queue } = await api.regions.query({ filter: { datasetId, checkpointId, splits: ['val'], statuses: ['unreviewed'] }, sort: 'suspect', descending: true, offset: 0, limit: 10 })
    api.close()
    const id = queue.find((row) => !swapped.includes(row.id))!.id
    await goTo(id)
    const before = stored.region(id).boxes
    const first = await mend().innerText()
    await image.press('w')
    await expect.poll(() => mend().innerText()).not.toBe(first)
    await image.press('f')
    await expect.poll(() => stored.region(id).status).toBe('accepted')
    expect(stored.region(id).boxes).not.toEqual(before)
    await allSaved()
  })

  it('learns: says how often one agreed, and forgets when asked', async () => {
    const decided = () => stored.count("SELECT count(*) FROM suspect_decisions d JOIN edits e ON e.id = d.edit_id WHERE e.state = 'done'")
    const before = decided()
    const api = callEngine(story.engine)
    const { rows: queue } = await api.regions.query({ filter: { datasetId, checkpointId, splits: ['val'], statuses: ['unreviewed'] }, sort: 'suspect', descending: true, offset: 0, limit: 10 })
    const id = queue.find((row) => !swapped.includes(row.id))!.id
    await goTo(id)
    await expect.poll(() => reasons().count()).toBeGreaterThan(0)
    await image.press('a')
    await expect.poll(decided).toBe(before + 1)
    await goTo(queue.find((row) => row.id !== id && !swapped.includes(row.id))!.id)
    await expect.poll(() => banner().innerText()).toMatch(new RegExp(`you agreed with \\d of \\d such`))
    await takePicture(page, 'curate-suspect-learned-dark-1440')
    await page.getByRole('button', { name: 'What your decisions taught' }).click()
    await expect.poll(() => page.getByRole('menuitem').filter({ hasText: 'Heat outside' }).innerText()).toMatch(/agreed \d of \d, weighs \d\.\d ×/)
    await page.getByRole('menuitem', { name: 'Forget what was learned' }).click()
    await expect.poll(decided).toBe(0)
    await expect.poll(async () => (await api.suspects.learned({})).decisions).toBe(0)
    api.close()
  })

  it('says of a phrase that is being typed how well it matches and what its boxes hold, less of it with a higher threshold', async () => {
    await page.getByTestId('free-phrase').fill('the purple bus')
    const scores = page.getByTestId('free-scores')
    await expect.poll(() => scores.innerText()).toMatch(/^(offer 1 of \d, at 15 % · )?match [01]\.\d\d · boxes hold \d+ % of the heat$/)
    const held = async () => Number(/hold (\d+)/.exec(await scores.innerText())![1])
    const before = await held()
    await page.getByRole('slider', { name: 'Proposal threshold' }).fill('0.5')
    await expect.poll(held).toBeLessThan(before)
    await takePicture(page, 'curate-free-scores-dark-1440')
    await page.getByTestId('free-phrase').press('Escape')
    await scores.waitFor({ state: 'detached' })
    await page.getByRole('slider', { name: 'Proposal threshold' }).fill('0.15')
  })

  it('goes through the thresholds of what is being typed by a key, and adds what is shown by a key', async () => {
    const field = page.getByTestId('free-phrase')
    const scores = page.getByTestId('free-scores')
    await field.fill('the purple bus')
    await expect.poll(() => scores.innerText()).toMatch(/^offer 1 of \d, at 15 %/)
    await field.press('ArrowDown')
    await expect.poll(() => scores.innerText()).toMatch(/^offer 2 of \d, at (10|25|40|60) %/)
    await takePicture(page, 'curate-free-offers-dark-1440')
    await field.press('ArrowUp')
    await expect.poll(() => scores.innerText()).toMatch(/^offer 1 of/)
    // With the field left, by the keys that go through mends and use them.
    await image.press('w')
    await expect.poll(() => scores.innerText()).toMatch(/^offer 2 of/)
    const shown = Number(/boxes hold (\d+) %/.exec(await scores.innerText())![1])
    const before = stored.count('SELECT count(*) FROM regions')
    await image.press('f')
    await expect.poll(() => stored.count('SELECT count(*) FROM regions')).toBe(before + 1)
    await allSaved()
    const made = stored.rows("SELECT id, image_id FROM regions WHERE phrase = 'the purple bus' ORDER BY position DESC LIMIT 1")[0]!
    const heat = await callEngine(story.engine).heatmaps.get({ imageId: String(made['image_id']), checkpointId, phrase: 'the purple bus' })
    const held = scoreRegion(prepareHeat(heat.grid, heat.peak, heat.maskSize), boxesOnly(stored.region(String(made['id'])).boxes), { width: 96, height: 96 }).insideEnergy
    expect(Math.round(100 * held), 'the boxes that were shown are those that were stored').toBe(shown)
    await image.press('Control+z')
    await expect.poll(() => stored.rows('SELECT deleted FROM regions WHERE id = ?', String(made['id']))[0]!['deleted']).toBe(1)
  })

  it('looks right in the light theme and on a small screen', async () => {
    await page.emulateMedia({ colorScheme: 'light' })
    await page.waitForTimeout(300)
    await takePicture(page, 'curate-suspect-light-1440')
    await page.setViewportSize({ width: 1024, height: 700 })
    await page.waitForTimeout(300)
    await takePicture(page, 'curate-suspect-light-1024')
    const bounds = (await banner().boundingBox())!
    for (const button of await banner().getByRole('button').all()) {
      const box = (await button.boundingBox())!
      expect(box.x).toBeGreaterThanOrEqual(bounds.x)
      expect(box.x + box.width).toBeLessThanOrEqual(bounds.x + bounds.width + 0.5)
    }
    expect(story.open.faults).toEqual([])
  })
})
