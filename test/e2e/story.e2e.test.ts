/**
 * The main job, once, as a person does it: bring in a dataset, correct a box while heatmap and score answer, train, stop,
 * resume, score two checkpoints and compare them. One page, one engine; each step goes on where the last one ended.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Locator, Page } from 'playwright-core'
import { findChromium, NO_BROWSER } from './browser.ts'
import { type CanvasDriver, canvasDriver } from './canvas-driver.ts'
import { makeSmallDemo, type ServedEngine, serve } from './engine.ts'
import { type Eyes, eyesOn, openStory, type Story } from './open-story.ts'
import type { ProjectReader } from './project-reader.ts'

/** Enough to stop in the middle and to draw a curve. */
const STEPS = 14

const chromium = findChromium()
if (!chromium) console.warn(NO_BROWSER)

describe.skipIf(!chromium)(`the main job in a browser${chromium ? '' : ` (${NO_BROWSER})`}`, () => {
  let story: Story
  let demoDir: string
  /** The one that runs: it is killed and started again. */
  let engine: ServedEngine
  let page: Page
  let image: CanvasDriver
  let stored: ProjectReader
  let allSaved: Eyes['allSaved']

  beforeAll(async () => {
    story = await openStory('story', { dataset: null })
    ;({ engine, page, image, stored } = story)
    ;({ allSaved } = eyesOn(page))
    story.api.close()
    demoDir = await makeSmallDemo(`${story.folder}/small demo`)
  })
  afterAll(() => story?.close(engine))

  const tab = (name: string): Locator => page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name })
  const currentRow = (): Locator => page.getByTestId('queue').locator('[role="option"][aria-selected="true"]')
  const regionId = async (): Promise<string> => (await currentRow().getAttribute('data-region'))!
  const heat = (slot = 1): Locator => page.locator(`[data-heat]:has([data-canvas="heat-${slot}"])`)

  it('begins with an empty library that says what to do', async () => {
    await page.getByText('No datasets yet').waitFor()
    await page.getByRole('button', { name: /Choose files/ }).waitFor()
    await page.getByRole('button', { name: /Open the demo/ }).waitFor()
  })

  it('shows ten samples of a folder before anything is added, then imports it', async () => {
    await page.getByRole('button', { name: /Choose files/ }).click()
    await page.getByRole('textbox', { name: 'Folder or annotation file' }).fill(demoDir)
    await page.getByRole('button', { name: 'Show what is there' }).click()
    await page.getByText('10 samples').waitFor()
    expect(stored.count('SELECT count(*) FROM regions')).toBe(0)
    await page.getByRole('button', { name: /^Import \d+ regions/ }).click()
    await page.getByText(/250 images and \d+ regions added/).waitFor()
    await page.getByRole('button', { name: 'Done' }).click()
    const regions = stored.count('SELECT count(*) FROM regions')
    expect(regions).toBeGreaterThan(400)
    expect(stored.count('SELECT count(*) FROM images')).toBe(250)
    await page.getByRole('table').getByText('small demo').waitFor()
  })

  it('walks the queue: image, boxes and live heat beside, under one camera', async () => {
    await tab('Curate').click()
    await image.ready()
    expect(await image.imageSize()).toEqual({ width: 96, height: 96 })
    await heat().waitFor()
    const first = await regionId()
    const phrase = stored.region(first).phrase
    await expect.poll(() => heat().getAttribute('data-heat')).toBe(phrase)
    await expect.poll(() => page.getByTestId('phrase-editor').inputValue()).toBe(phrase)
    const camera = async (name: string) => page.locator(`[data-canvas="${name}"]`).evaluate((e: { dataset: Record<string, string> }) => [e.dataset['scale'], e.dataset['imageWidth']])
    expect(await camera('heat-1')).toEqual(await camera('image'))
    // One camera: zooming over the heat moves the image too.
    const before = await camera('image')
    const centre = await canvasDriver(page, 'heat-1').toScreen({ x: 48, y: 48 })
    await page.mouse.move(centre.x, centre.y)
    await page.mouse.wheel(0, -300)
    await expect.poll(() => camera('image')).not.toEqual(before)
    expect(await camera('heat-1')).toEqual(await camera('image'))
    await image.press('0')

    await page.keyboard.press('j')
    await expect.poll(regionId).not.toBe(first)
    const second = await regionId()
    await expect.poll(() => heat().getAttribute('data-heat')).toBe(stored.region(second).phrase)
    await page.keyboard.press('k')
    await expect.poll(regionId).toBe(first)
  })

  it('moves the score in the same frame as the box', async () => {
    const id = await regionId()
    const [box] = stored.region(id).boxes
    await heat().waitFor()
    await page.getByTestId('score-now').waitFor()
    await page.evaluate(WATCH_CALLS)
    await page.evaluate(WATCH_FRAMES)
    const shown: string[] = []
    // Towards the hottest point, where the score must change on the way.
    const peak = stored.rows('SELECT peak_x, peak_y FROM heatmaps WHERE checkpoint_id = ? AND image_id = (SELECT image_id FROM regions WHERE id = ?) AND phrase = ?', (await heat().getAttribute('data-checkpoint'))!, id, stored.region(id).phrase)[0]!
    const [dx, dy] = [Number(peak['peak_x']) - (box![0] + box![2]) / 2, Number(peak['peak_y']) - (box![1] + box![3]) / 2]
    const [away, direction] = [Math.hypot(dx, dy) < 20, Math.sign(48 - (box![0] + box![2]) / 2) || 1]
    await image.select(box!)
    await image.dragBox(box!, away ? 40 * direction : dx, away ? 0 : dy, async () => void shown.push(await page.getByTestId('score-now').innerText()))
    expect(new Set(shown).size, `scores while dragging: ${shown.join(' ')}`).toBeGreaterThan(2)
    const frames = (await page.evaluate('window.amcFrames')) as { moves: number; changes: { pointerFrame: number; scoreFrame: number }[] }
    expect(frames.changes.length).toBeGreaterThan(2)
    for (const change of frames.changes) expect(change.scoreFrame - change.pointerFrame).toBe(0)
    expect(await page.evaluate('window.amcCalls'), 'calls while the button was down').toBe(0)
    await allSaved()
    const after = stored.region(id).boxes[0]!
    expect(after).not.toEqual(box)
    expect(after[2] - after[0]).toBeCloseTo(box![2] - box![0], 9)
    expect(stored.revisions(id)).toHaveLength(stored.region(id).revision)
    await undoAndRedo(id, box!, after)
  })

  async function undoAndRedo(id: string, before: readonly number[], after: readonly number[]): Promise<void> {
    await image.press('Control+z')
    await expect.poll(() => stored.region(id).boxes[0]).toEqual(before)
    await image.press('Control+Shift+z')
    await expect.poll(() => stored.region(id).boxes[0]).toEqual(after)
    await image.press('Control+z')
    await expect.poll(() => stored.region(id).boxes[0]).toEqual(before)
  }

  it('resizes by a handle and draws another box', async () => {
    const id = await regionId()
    const box = stored.region(id).boxes[0]!
    await image.press('Escape')
    await image.select(box)
    await image.dragHandle(box, 'se', box[2] < 80 ? 9 : -9, 0)
    await expect.poll(() => stored.region(id).boxes[0]![2]).not.toBe(box[2])
    expect(stored.region(id).boxes[0]!.slice(0, 2)).toEqual(box.slice(0, 2))
    await image.press('b')
    await image.drawBox([4, 4, 20, 18])
    await expect.poll(() => stored.region(id).boxes.length).toBe(2)
    for (const [i, value] of [4, 4, 20, 18].entries()) expect(stored.region(id).boxes[1]![i]).toBeCloseTo(value, 0)
    await image.press('Control+z')
    await expect.poll(() => stored.region(id).boxes.length).toBe(1)
    await image.press('Control+z')
    await expect.poll(() => stored.region(id).boxes[0]).toEqual(box)
  })

  it('shows the new heat while a phrase is edited', async () => {
    const id = await regionId()
    const phrase = stored.region(id).phrase
    await page.getByTestId('phrase-editor').fill('the yellow book')
    await expect.poll(() => heat().getAttribute('data-heat')).toBe('the yellow book')
    expect(stored.region(id).phrase, 'not stored before it is confirmed').toBe(phrase)
    await page.getByTestId('phrase-editor').press('Enter')
    await expect.poll(() => stored.region(id).phrase).toBe('the yellow book')
    await image.press('Control+z')
    await expect.poll(() => stored.region(id).phrase).toBe(phrase)
    await expect.poll(() => heat().getAttribute('data-heat')).toBe(phrase)
  })

  it('looks for any phrase without changing anything', async () => {
    const edits = stored.count('SELECT count(*) FROM edits')
    await page.getByTestId('free-phrase').fill('a red umbrella')
    await expect.poll(() => heat().getAttribute('data-heat')).toBe('a red umbrella')
    await page.getByTestId('free-phrase').press('Escape')
    expect(stored.count('SELECT count(*) FROM edits')).toBe(edits)
  })

  it('accepts, rejects and skips with one key each, and goes on by itself', async () => {
    const decided: [string, string][] = []
    for (const [key, status] of [['a', 'accepted'], ['x', 'rejected'], ['d', 'skipped']] as const) {
      const id = await regionId()
      decided.push([id, status])
      await image.press(key)
      await expect.poll(() => stored.region(id).status).toBe(status)
      await expect.poll(regionId).not.toBe(id)
    }
    await allSaved()
    await page.reload()
    await image.ready()
    for (const [id, status] of decided) expect(stored.region(id).status).toBe(status)
    await expect.poll(() => page.getByTestId('queue').locator('[data-status="accepted"]').count()).toBe(1)
  })

  it('survives the engine being killed: the page says so, and an edit made meanwhile is stored when it is back', async () => {
    const id = await regionId()
    const loaded = await page.evaluate('performance.timeOrigin')
    await engine.kill()
    await page.getByRole('status').filter({ hasText: /reconnect/i }).first().waitFor()
    await image.press('x')
    expect(stored.region(id).status).toBe('unreviewed')
    engine = await serve(engine.projectDir, { port: Number(new URL(engine.url).port) })
    // As the desktop shell does: the session learns the new key, the page itself is left alone.
    await page.context().request.get(`${engine.url}/?token=${engine.token}`)
    await expect.poll(() => stored.region(id).status, { timeout: 30_000 }).toBe('rejected')
    expect(stored.region(id).revision, 'stored once').toBe(stored.revisions(id).length)
    expect(await page.evaluate('performance.timeOrigin')).toBe(loaded)
    await allSaved()
  })

  it('starts a run that shows progress, time left and curves', async () => {
    await tab('Train').click()
    await page.getByRole('textbox', { name: /^Steps/ }).fill(String(STEPS))
    await page.getByRole('button', { name: /Add to queue/ }).click()
    const progress = page.getByRole('progressbar', { name: 'Progress of run 1' })
    await progress.waitFor()
    await expect.poll(async () => Number(await progress.getAttribute('aria-valuenow')), { timeout: 120_000 }).toBeGreaterThan(0)
    await page.getByRole('region', { name: 'Curves' }).locator('canvas').first().waitFor()
    await expect.poll(() => page.locator('dt:text-is("Remaining") + dd').innerText()).toMatch(/\d/)
  })

  it('stops the run, keeps its state, and goes on from there', async () => {
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Stop and keep state' }).click()
    const resume = page.getByRole('button', { name: 'Resume' })
    await resume.waitFor({ timeout: 120_000 })
    const stoppedAt = stored.count('SELECT step FROM runs WHERE number = 1')
    expect(stoppedAt).toBeGreaterThan(0)
    expect(stoppedAt).toBeLessThan(STEPS)
    await resume.click()
    await expect.poll(() => stored.rows('SELECT state FROM runs WHERE number = 1')[0]!['state'], { timeout: 270_000 }).toBe('finished')
    expect(stored.count('SELECT max(step) FROM metrics')).toBe(STEPS)
    expect(stored.count(`SELECT count(*) FROM metrics WHERE json_extract("values", '$."loss.total"') IS NOT NULL`), 'every step once').toBe(STEPS)
    expect(stored.count('SELECT count(*) FROM checkpoints WHERE run_id IS NOT NULL')).toBeGreaterThan(0)
  }, 400_000)

  it('scores both checkpoints and compares them side by side with what was fixed and broken', async () => {
    await tab('Compare').click()
    const compute = page.getByRole('button', { name: /^(Score|Compute)/ })
    await compute.first().click()
    await page.getByTestId('headline-pointingGame').waitFor({ timeout: 170_000 })
    const cells = Object.fromEntries(await Promise.all(['both', 'broken', 'fixed', 'neither'].map(async (name) => [name, Number((await page.getByTestId(`compare-cell-${name}`).innerText()).replace(/\D+/g, ' ').trim().split(' ')[0])])))
    const total = Object.values(cells).reduce((sum: number, n) => sum + (n as number), 0)
    expect(total).toBeGreaterThan(0)
    expect(cells).toEqual(await matrixInProject())
    const name = (cells as Record<string, number>)['fixed']! > 0 ? 'fixed' : 'both'
    // Picking the picked cell would show all pairs.
    const picked = page.getByTestId(`compare-cell-${name}`)
    if ((await picked.getAttribute('aria-pressed')) !== 'true') await picked.click()
    await expect.poll(() => picked.getAttribute('aria-pressed')).toBe('true')
    const pairs = page.getByRole('listbox', { name: 'Pairs' }).getByRole('option')
    await pairs.first().click()
    // Every pair on screen belongs into the cell that was picked, by what is stored.
    const hits = name === 'fixed' ? [0, 1] : [1, 1]
    for (const id of (await pairs.evaluateAll((all: { id: string }[]) => all.map((one) => one.id.replace(/^pair-/, ''))))) expect(await hitsInProject(id)).toEqual(hits)
    const view = page.getByRole('group', { name: 'View' })
    for (const [mode, pictures] of [['Side', 2], ['Wipe', 1], ['Blink', 1], ['Difference', 1]] as const) {
      await view.getByRole('button', { name: mode }).click()
      await page.locator('[data-testid="pair-stage"][data-ready="true"]').waitFor()
      await expect.poll(() => page.getByTestId('pair-stage').getByRole('img').count()).toBe(pictures)
    }
  })

  /** Ids of the checkpoints that Compare shows as A and B. */
  async function sides(): Promise<readonly [string, string]> {
    const id = async (label: RegExp): Promise<string> => {
      // The name is shown in two parts, so that its end stays where there is no room for all.
      const name = (await page.getByRole('combobox', { name: label }).locator('[title]').getAttribute('title')) ?? ''
      return String(stored.rows('SELECT id FROM checkpoints WHERE name = ?', name)[0]!['id'])
    }
    return [await id(/^Checkpoint A/), await id(/^Checkpoint B/)]
  }

  async function matrixInProject(): Promise<Record<string, number>> {
    const [a, b] = await sides()
    const split = (await page.getByRole('combobox', { name: 'Split' }).innerText()).trim()
    const row = stored.rows(
      `SELECT sum(a.pointing_hit AND b.pointing_hit) AS both, sum(a.pointing_hit AND NOT b.pointing_hit) AS broken, sum(b.pointing_hit AND NOT a.pointing_hit) AS fixed, sum(NOT a.pointing_hit AND NOT b.pointing_hit) AS neither
       FROM regions r JOIN scores a ON a.region_id = r.id AND a.checkpoint_id = ? JOIN scores b ON b.region_id = r.id AND b.checkpoint_id = ? AND b.protocol = a.protocol WHERE r.deleted = 0 AND r.split = ?`, a, b, split,
    )[0]!
    return Object.fromEntries(Object.entries(row).map(([name, n]) => [name, Number(n)]))
  }

  async function hitsInProject(id: string): Promise<number[]> {
    const [a, b] = await sides()
    return [a, b].map((checkpoint) => stored.count('SELECT pointing_hit FROM scores WHERE region_id = ? AND checkpoint_id = ?', id, checkpoint))
  }

  it('wrote no error to the console all along', () => {
    expect(story.open.faults).toEqual([])
  })
})

/** In the page: counts what is sent over the WebSocket while a mouse button is down. */
const WATCH_CALLS = `(() => {
  let down = false
  addEventListener('pointerdown', () => { down = true }, true)
  addEventListener('pointerup', () => { down = false }, true)
  const send = WebSocket.prototype.send
  window.amcCalls = 0
  WebSocket.prototype.send = function (data) { if (down) window.amcCalls++; return send.call(this, data) }
})()`

/** In the page: numbers the frames, and notes for each change of the score the frame of the last pointer event and its own. */
const WATCH_FRAMES = `(() => {
  let frame = 0, pointerFrame = -1
  const tick = () => { frame++; requestAnimationFrame(tick) }
  requestAnimationFrame(tick)
  window.amcFrames = { moves: 0, changes: [] }
  addEventListener('pointermove', (event) => { if (event.buttons) { pointerFrame = frame; window.amcFrames.moves++ } }, true)
  new MutationObserver(() => { if (pointerFrame >= 0) window.amcFrames.changes.push({ pointerFrame, scoreFrame: frame }) })
    .observe(document.querySelector('[data-testid="score-now"]'), { childList: true, characterData: true, subtree: true })
})()`
