/**
 * What fast hands, an engine that is away and other people do to Curate: nothing is stored that was not seen, nothing is
 * lost, and what is drawn is what it says it is. One page, one engine; each step goes on where the last one ended.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Locator, Page } from 'playwright-core'
import { findChromium, NO_BROWSER } from './browser.ts'
import { callEngine } from './call.ts'
import type { CanvasDriver } from './canvas-driver.ts'
import { type ServedEngine, serve } from './engine.ts'
import { type Eyes, eyesOn, openStory, type Story } from './open-story.ts'
import type { ProjectReader } from './project-reader.ts'
import { showScreen, takePicture } from './screens.ts'

const chromium = findChromium()
if (!chromium) console.warn(NO_BROWSER)

describe.skipIf(!chromium)(`fast hands in Curate${chromium ? '' : ` (${NO_BROWSER})`}`, () => {
  let story: Story
  /** The one that runs: it is killed and started again. */
  let engine: ServedEngine
  let page: Page
  let image: CanvasDriver
  let stored: ProjectReader
  let datasetId: string
  let checkpointId: string
  let rows: Eyes['rows']
  let regionId: Eyes['regionId']
  let allSaved: Eyes['allSaved']
  let serious: Eyes['serious']

  beforeAll(async () => {
    story = await openStory('curate')
    ;({ engine, page, image, datasetId, stored } = story)
    ;({ rows, regionId, allSaved, serious } = eyesOn(page))
    await heat().waitFor()
    checkpointId = (await heat().getAttribute('data-checkpoint'))!
    await story.api.ended((await story.api.scores.compute({ datasetId, checkpointId, splits: ['val'] })).id)
    story.api.close()
  })
  afterAll(() => story?.close(engine))

  const heat = (): Locator => page.locator('[data-heat]:has([data-canvas="heat-1"])')
  const isFresh = () => expect.poll(() => heat().getAttribute('data-stale')).toBeNull()
  const isRowInView = async () => {
    const list = (await page.getByTestId('queue').boundingBox())!
    const row = await page.locator('[aria-current="true"][role="option"]').boundingBox()
    return row !== null && row.y >= list.y && row.y + row.height <= list.y + list.height
  }
  const statuses = () => stored.count("SELECT count(*) FROM regions WHERE status <> 'unreviewed'")

  it('draws the heat that the engine computed: the hottest pixels lie where the grid is hottest', async () => {
    await isFresh()
    const id = await regionId()
    const { phrase } = stored.region(id)
    const api = callEngine(engine)
    const imageId = String(stored.rows('SELECT image_id FROM regions WHERE id = ?', id)[0]!['image_id'])
    const { grid } = await api.heatmaps.get({ imageId, checkpointId, phrase })
    api.close()
    await page.waitForTimeout(400)
    const drawn = (await page.evaluate(`${HEAT_AT}(${JSON.stringify(grid)})`)) as { readonly hot: number; readonly cold: number; readonly opaque: number }
    expect(drawn.opaque, 'pixels that are drawn at all').toBeGreaterThan(1000)
    expect(drawn.hot, 'light of the hottest cell').toBeGreaterThan(drawn.cold + 60)
  })

  it('holding A decides one sample, and letters work while the list has the focus', async () => {
    const before = statuses()
    await page.getByTestId('queue').focus()
    await page.keyboard.down('a')
    for (let i = 0; i < 6; i++) await page.keyboard.down('a') // as a keyboard repeats
    await page.keyboard.up('a')
    await allSaved()
    expect(statuses()).toBe(before + 1)
    await rows().nth(4).click()
    const id = await regionId()
    await page.keyboard.press('x')
    await expect.poll(() => stored.region(id).status).toBe('rejected')
    await expect.poll(regionId).not.toBe(id)
  })

  it('stores a free phrase with its own boxes only, however fast Enter comes', async () => {
    await isFresh()
    const field = page.getByTestId('free-phrase')
    await field.fill('the red umbrella')
    await expect.poll(() => heat().getAttribute('data-heat')).toBe('the red umbrella')
    await field.fill('the blue fish')
    await field.press('Enter')
    await expect.poll(() => stored.count("SELECT count(*) FROM regions WHERE phrase = 'the blue fish'"), { timeout: 30_000 }).toBe(1)
    await allSaved()
    const made = stored.rows("SELECT id, image_id, boxes FROM regions WHERE phrase = 'the blue fish'")[0]!
    await expect.poll(() => heat().getAttribute('data-heat')).toBe('the blue fish')
    await isFresh()
    // The same proposal, asked for in peace, is what was stored; that of the other phrase is not.
    const now = stored.region(String(made['id'])).boxes
    await field.fill('the blue fish')
    await expect.poll(() => page.getByTestId('annotate-free').innerText()).toContain('boxes')
    await page.getByTestId('annotate-free').click()
    await expect.poll(() => stored.count("SELECT count(*) FROM regions WHERE phrase = 'the blue fish'")).toBe(2)
    await allSaved()
    const calm = stored.rows("SELECT id FROM regions WHERE phrase = 'the blue fish' AND id <> ?", String(made['id']))[0]!
    expect(stored.region(String(calm['id'])).boxes).toEqual(now)
  })

  it('a box drawn after a phrase was deleted begins a new phrase, and the deleted one stays as it was', async () => {
    const id = (await page.getByRole('region', { name: 'Inspector' }).locator('[title][data-selectable]').getAttribute('title'))!
    expect(stored.region(id).phrase).toBe('the blue fish')
    const { boxes } = stored.region(id)
    await page.getByRole('button', { name: 'More', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Delete this phrase' }).click()
    await expect.poll(() => stored.count('SELECT deleted FROM regions WHERE id = ?', id)).toBe(1)
    const before = stored.count('SELECT count(*) FROM regions')
    await image.press('b')
    await image.drawBox([6, 6, 22, 20])
    await expect.poll(() => stored.count('SELECT count(*) FROM regions')).toBe(before + 1)
    await allSaved()
    expect(stored.region(id).boxes).toEqual(boxes)
    const made = stored.rows('SELECT id FROM regions ORDER BY position DESC LIMIT 1')[0]!
    expect(stored.region(String(made['id']))).toMatchObject({ phrase: '', revision: 1 })
    expect(stored.region(String(made['id'])).boxes).toHaveLength(1)
  })

  it('keeps a note that was being typed when one walks on', async () => {
    await rows().nth(8).click()
    const id = await regionId()
    await page.getByTestId('note').fill('half a thought')
    await page.keyboard.press('Control+ArrowDown')
    await expect.poll(regionId).not.toBe(id)
    await expect.poll(() => stored.rows('SELECT note FROM regions WHERE id = ?', id)[0]!['note']).toBe('half a thought')
  })

  it('undo has its place in the order while the engine is away', async () => {
    await rows().nth(12).click()
    const id = await regionId()
    const [box] = stored.region(id).boxes
    await isFresh()
    await engine.kill()
    await page.getByRole('status').filter({ hasText: /reconnect/i }).first().waitFor()
    await image.select(box!)
    await image.press('Shift+ArrowRight')
    await image.press('Control+z')
    await page.getByTestId('note').fill('made while it was away')
    await page.getByTestId('note').press('Enter')
    engine = await serve(engine.projectDir, { port: Number(new URL(engine.url).port) })
    await page.context().request.get(`${engine.url}/?token=${engine.token}`)
    await expect.poll(() => stored.rows('SELECT note FROM regions WHERE id = ?', id)[0]!['note'], { timeout: 40_000 }).toBe('made while it was away')
    await allSaved()
    expect(stored.region(id).boxes).toEqual([box])
  })

  it('the row in hand is wholly in view when Curate opens', async () => {
    await showScreen(page, 'library')
    await showScreen(page, 'curate', `dataset=${datasetId}&view=all`)
    await page.locator('[aria-current="true"][role="option"]').waitFor()
    await expect.poll(isRowInView).toBe(true)
  })

  it('an edit made while the engine was gone is counted, outlives the page, and is sent by the next one', async () => {
    await rows().nth(13).click()
    const id = await regionId()
    await isFresh()
    await engine.kill()
    await page.getByRole('status').filter({ hasText: /reconnect/i }).first().waitFor()
    await page.getByTestId('phrase-editor').fill('typed into the void')
    await page.getByTestId('phrase-editor').press('Enter')
    await page.getByTestId('save-state').filter({ hasText: '1 edit not saved yet' }).waitFor()
    await page.getByText('1 edit is not saved yet, kept in this browser').waitFor()
    // The banner takes its height from the list.
    await expect.poll(isRowInView).toBe(true)
    await takePicture(page, 'curate-unsaved-away-dark-1440')
    const port = Number(new URL(engine.url).port)
    engine = await serve(engine.projectDir, { port })
    await page.getByTestId('refused').filter({ hasText: '1 edit is not saved yet' }).waitFor()
    expect(await page.getByTestId('refused').innerText()).toContain(`amc serve --port ${port}`)
    expect(await page.getByText('Nothing is lost').count()).toBe(0)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByTestId('refused').filter({ hasText: 'still refused' }).waitFor()
    expect(await page.getByTestId('phrase-editor').inputValue(), 'the page stays').toBe('typed into the void')
    await takePicture(page, 'curate-unsaved-refused-dark-1440')
    expect(await serious()).toEqual([])
    expect(stored.region(id).phrase).not.toBe('typed into the void')
    // The old page goes, and another screen than Curate is opened with the new key.
    page.once('dialog', (dialog) => void dialog.accept())
    await page.goto(`${engine.url}/?token=${engine.token}#/library`)
    await expect.poll(() => stored.region(id).phrase).toBe('typed into the void')
    await allSaved()
    expect(await page.evaluate(`Object.keys(localStorage).filter((key) => key.startsWith('amc-unsaved'))`)).toEqual([])
    await showScreen(page, 'curate', `dataset=${datasetId}`)
    await heat().waitFor()
  })

  it('says what an edit meets that somebody else has overtaken, and saves mine on top wherever one has walked', async () => {
    await rows().nth(14).click()
    const id = await regionId()
    const api = callEngine(engine)
    const { revision, phrase: before } = stored.region(id)
    await page.evaluate(HOLD_CALLS)
    await page.getByTestId('phrase-editor').fill('mine, all mine')
    await page.getByTestId('phrase-editor').press('Enter')
    await api.regions.apply({ editId: `theirs-${revision}-${id}`, label: 'Theirs', edits: [{ regionId: id, revision, diff: { note: { before: '', after: 'theirs' } } }] })
    await page.evaluate('window.amcRelease()')
    await page.getByTestId('failed-edit').waitFor()
    expect(await page.getByTestId('phrase-editor').inputValue(), 'what was typed stays on screen').toBe('mine, all mine')
    const row = page.getByTestId('mine-and-theirs').locator('tbody tr').filter({ has: page.getByRole('rowheader', { name: 'phrase' }) })
    await expect.poll(() => row.locator('td').allInnerTexts()).toEqual(['“mine, all mine”', `“${before}”`])
    await page.getByTestId('mine-and-theirs').getByText('Their edit: Theirs,').waitFor()
    expect(await page.getByTestId('failed-edit').innerText()).toContain(`A newer change is there: Phrase: “${before}” → “mine, all mine”`)
    await takePicture(page, 'curate-failed-edit-dark-1440')
    expect(await serious()).toEqual([])
    await rows().nth(15).click()
    await expect.poll(regionId).not.toBe(id)
    await page.getByRole('button', { name: 'Save mine' }).click()
    await expect.poll(() => stored.region(id).phrase).toBe('mine, all mine')
    expect(stored.rows('SELECT note FROM regions WHERE id = ?', id)[0]!['note']).toBe('theirs')
    await allSaved()
    api.close()
  })

  it('suspects: counts them, proposes, can stop proposing, and keeps view and sample in the address', async () => {
    await showScreen(page, 'curate', `dataset=${datasetId}&sort=suspect`)
    await image.ready()
    const banner = page.getByTestId('banner')
    await banner.waitFor()
    const suspects = stored.count("SELECT count(*) FROM scores s JOIN regions r ON r.id = s.region_id AND r.deleted = 0 WHERE s.checkpoint_id = ? AND s.protocol LIKE '%strict%' AND s.trust < 0.5", checkpointId)
    if (suspects > 0) await expect.poll(() => page.getByRole('button', { name: /^View Suspects/ }).innerText()).toContain(String(suspects))
    await takePicture(page, 'curate-suspects-dark-1440')
    await page.keyboard.press('p')
    await banner.waitFor({ state: 'detached' })
    await page.keyboard.press('p')
    await banner.waitFor()
    expect(page.url()).toContain('view=suspects')
    const id = await regionId()
    await page.reload()
    await image.ready()
    await banner.waitFor()
    await expect.poll(regionId).toBe(id)
    await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Library' }).click()
    await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Curate' }).click()
    await banner.waitFor()
    await expect.poll(regionId).toBe(id)
  })

  it('at 1024 x 700 every control of the heat can be reached, with the queue open and a filter too', async () => {
    await page.setViewportSize({ width: 1024, height: 700 })
    await page.getByRole('button', { name: 'Show queue' }).click()
    for (const name of ['Scale', 'Colour map']) {
      const control = page.getByRole('combobox', { name })
      await control.waitFor()
      const box = (await control.boundingBox())!
      expect(await page.evaluate(`(() => { const e = document.elementFromPoint(${box.x + box.width / 2}, ${box.y + box.height / 2}); return e !== null && e.closest('[role=combobox]') !== null })()`), name).toBe(true)
    }
    for (const name of ['Heat opacity', 'Proposal threshold']) {
      const box = (await page.getByRole('slider', { name }).boundingBox())!
      expect(await page.evaluate(`document.elementFromPoint(${box.x + box.width / 2}, ${box.y + box.height / 2})?.getAttribute('aria-label')`), name).toBe(name)
    }
    await page.getByRole('button', { name: 'Filter', exact: true }).click()
    await page.getByRole('group', { name: 'Filter', exact: true }).waitFor()
    await takePicture(page, 'curate-filter-dark-1024')
    expect(await serious()).toEqual([])
    await page.setViewportSize({ width: 1440, height: 900 })
  })

  it('says that the demo’s checkpoint knows only the demo’s scenes, on anything else', async () => {
    const note = page.getByTestId('demo-only')
    expect(await note.count()).toBe(0)
    const folder = `${story.folder}/small-demo`
    const entries = JSON.parse(readFileSync(`${folder}/annotations.json`, 'utf8')) as { image: string; caption: string; bbox: number[][] }[]
    // The same pictures as anybody's own annotations would name them.
    writeFileSync(`${story.folder}/own.json`, JSON.stringify(entries.slice(0, 8).map(({ image: name, caption, bbox }) => ({ image: name, caption, bbox }))))
    const api = callEngine(engine)
    await api.ended((await api.datasets.import({ path: `${story.folder}/own.json`, imagesDir: folder, name: 'own' })).id)
    const own = (await api.datasets.list({})).find((one) => one.name === 'own')!
    api.close()
    await showScreen(page, 'curate', `dataset=${own.id}`)
    await note.getByText(/knows only the demo’s drawn scenes/).waitFor()
    await takePicture(page, 'demo-only')
    expect(await note.getByRole('link', { name: 'Train one' }).getAttribute('href')).toBe(`#/train?dataset=${own.id}`)
    expect(await serious()).toEqual([])
    await showScreen(page, 'curate', `dataset=${datasetId}`)
    await image.ready()
    expect(await note.count()).toBe(0)
  })

  it('wrote no error to the console all along', () => {
    expect(story.open.faults).toEqual([])
  })
})

/** In the page: calls wait until amcRelease(), as on a slow line. */
const HOLD_CALLS = `(() => {
  const { send } = WebSocket.prototype
  const held = []
  WebSocket.prototype.send = function (data) { held.push([this, data]) }
  window.amcRelease = () => { WebSocket.prototype.send = send; for (const [socket, data] of held) send.call(socket, data) }
})()`

/** In the page: reads the heat canvas's own pixels at the hottest and the coldest cell of the grid. */
const HEAT_AT = `((grid) => {
  const host = document.querySelector('[data-canvas="heat-1"]')
  const canvas = host.querySelectorAll('canvas')[1]
  const ratio = canvas.width / host.clientWidth
  const data = host.dataset
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  let opaque = 0
  for (let i = 3; i < pixels.data.length; i += 4) if (pixels.data[i] > 0) opaque++
  const light = (cell) => {
    const x = (((cell % grid.width) + 0.5) / grid.width) * Number(data.imageWidth) * Number(data.scale) + Number(data.offsetX)
    const y = ((Math.floor(cell / grid.width) + 0.5) / grid.height) * Number(data.imageHeight) * Number(data.scale) + Number(data.offsetY)
    const at = (Math.round(y * ratio) * canvas.width + Math.round(x * ratio)) * 4
    return (pixels.data[at] + pixels.data[at + 1] + pixels.data[at + 2]) / 3 * pixels.data[at + 3] / 255
  }
  let hot = 0, cold = 0
  grid.values.forEach((value, i) => { if (value > grid.values[hot]) hot = i; if (value < grid.values[cold]) cold = i })
  return { hot: light(hot), cold: light(cold), opaque }
})`
