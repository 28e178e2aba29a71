/**
 * The canvas in the annotator's hands: every tool once through the page, judged by what the database holds afterwards. Whatever only
 * changes the view must leave every stored number alone.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Page } from 'playwright-core'
import { findChromium, NO_BROWSER } from './browser.ts'
import { callEngine } from './call.ts'
import type { CanvasDriver } from './canvas-driver.ts'
import { type Eyes, eyesOn, openStory, type Story } from './open-story.ts'
import type { ProjectReader } from './project-reader.ts'
import { showScreen, takePicture } from './screens.ts'

const chromium = findChromium()
if (!chromium) console.warn(NO_BROWSER)

describe.skipIf(!chromium)(`the canvas${chromium ? '' : ` (${NO_BROWSER})`}`, () => {
  let story: Story
  let page: Page
  let image: CanvasDriver
  let datasetId: string
  let stored: ProjectReader
  let rows: Eyes['rows']
  let regionId: Eyes['regionId']
  let inHand: Eyes['inHand']
  let allSaved: Eyes['allSaved']
  let serious: Eyes['serious']

  beforeAll(async () => {
    story = await openStory('canvas')
    ;({ page, image, datasetId, stored } = story)
    ;({ rows, regionId, inHand, allSaved, serious } = eyesOn(page))
    await page.locator('[data-heat]').first().waitFor()
  })
  afterAll(() => story?.close())

  const edits = () => stored.count('SELECT count(*) FROM edits')
  const boxesOf = (id: string) => stored.region(id).boxes
  const imageOf = (id: string) => String(stored.rows('SELECT image_id FROM regions WHERE id = ?', id)[0]!['image_id'])
  const undo = async (id: string, before: unknown) => {
    await image.press('Control+z')
    await expect.poll(() => boxesOf(id)).toEqual(before)
  }

  it('draws by two clicks, and several boxes one after the other while the tool stays', async () => {
    const id = await regionId()
    const before = boxesOf(id)
    await image.press('Shift+b')
    for (const [from, to] of [[[5, 5], [25, 20]], [[30, 60], [50, 80]]] as const) {
      for (const [x, y] of [from, to]) {
        const at = await image.toScreen({ x, y })
        await page.mouse.click(at.x, at.y)
      }
    }
    await expect.poll(() => boxesOf(id).length).toBe(before.length + 2)
    for (const [i, value] of [5, 5, 25, 20].entries()) expect(boxesOf(id)[before.length]![i]).toBeCloseTo(value, 0)
    await expect.poll(() => image.pane.getAttribute('data-tool')).toBe('draw')
    await image.press('Escape')
    await expect.poll(() => image.pane.getAttribute('data-tool')).toBe('select')
    await image.press('Control+z')
    await undo(id, before)
  })

  it('changes no stored number by zooming, turning, fitting, panning or shading', async () => {
    const id = await regionId()
    const [before, made] = [boxesOf(id), edits()]
    const middle = await image.toScreen({ x: 48, y: 48 })
    for (const key of ['r', 'r', 'Shift+r', '+', '+', '1', 'z', 'r', '0', 'g', 'Shift+n', 'm', 'm', '-']) await image.press(key)
    await page.mouse.move(middle.x, middle.y)
    for (const delta of [-300, 120, -77, 300]) await page.mouse.wheel(0, delta)
    await image.press('h')
    await page.mouse.down()
    await page.mouse.move(middle.x + 37, middle.y - 19)
    await page.mouse.up()
    await image.press('v')
    await allSaved()
    expect(edits()).toBe(made)
    expect(boxesOf(id)).toEqual(before)
    await image.press('g')
    await image.press('Shift+n')
  })

  it('moves, resizes and nudges on a turned view in the direction that is seen', async () => {
    const id = await regionId()
    const [box] = boxesOf(id)
    await image.press('0')
    // Counted beforehand: what a key has brought about may not be on the page yet when the next one is sent.
    const turn = Number(await image.pane.getAttribute('data-turn'))
    for (let presses = (5 - turn) % 4; presses > 0; presses--) await image.press('r')
    await expect.poll(() => image.pane.getAttribute('data-turn')).toBe('1')
    await image.press('Escape')
    await image.select(box!)
    await image.press('ArrowRight')
    const up = [box![0], box![1] - 1, box![2], box![3] - 1]
    // Right on a view that is turned to the right is up in the image; at the image's edge it stays inside.
    await expect.poll(() => boxesOf(id)[0]).toEqual(box![1] >= 1 ? up : box)
    if (box![1] >= 1) await undo(id, [box])
    const dx = box![2] < 80 ? 9 : -9
    await image.dragHandle(box!, 'se', dx, 0)
    await expect.poll(() => boxesOf(id)[0]![2]).not.toBe(box![2])
    expect([...boxesOf(id)[0]!.slice(0, 2), boxesOf(id)[0]![3]]).toEqual([box![0], box![1], box![3]])
    expect(boxesOf(id)[0]![2]).toBeCloseTo(box![2] + dx, 0)
    await takePicture(page, 'canvas-turned-dark-1440')
    await undo(id, [box])
    await image.press('Shift+r')
    await expect.poll(() => image.pane.getAttribute('data-turn')).toBe('0')
  })

  it('keeps the boxes of a locked phrase, whatever hand or key tries', async () => {
    const id = await regionId()
    const before = boxesOf(id)
    const made = edits()
    await image.press('Escape')
    await image.press('l')
    await page.getByTestId('marks').waitFor()
    await image.select(before[0]!)
    await image.dragBox(before[0]!, 9, 9)
    for (const key of ['ArrowRight', 'Alt+ArrowRight', 'Delete', 'Control+d', 'Control+c', 'Control+v']) await image.press(key)
    await image.press('b')
    await image.drawBox([60, 60, 80, 80])
    await page.getByText('This phrase is locked').first().waitFor()
    await takePicture(page, 'canvas-locked-dark-1440')
    await page.reload()
    await image.ready()
    await page.getByTestId('marks').waitFor()
    expect(edits()).toBe(made)
    expect(boxesOf(id)).toEqual(before)
    await image.press('l')
    await page.getByTestId('marks').waitFor({ state: 'detached' })
    await image.press('ArrowDown')
    await expect.poll(() => edits()).toBe(made + 1)
    await undo(id, before)
  })

  it('hides the boxes of a phrase without touching them', async () => {
    const id = await regionId()
    const [made, before] = [edits(), boxesOf(id)]
    await image.press('0')
    await image.press('Shift+h')
    await page.getByTestId('marks').filter({ hasText: 'Hidden' }).waitFor()
    await image.press('Escape')
    await image.dragBox(before[0]!, 9, 9)
    await takePicture(page, 'canvas-hidden-dark-1440')
    await image.press('Shift+h')
    await image.press('0')
    expect(edits()).toBe(made)
    expect(boxesOf(id)).toEqual(before)
  })

  it('keeps F from changing a locked phrase', async () => {
    await image.press('l')
    await page.getByTestId('marks').waitFor()
    const id = await regionId()
    const [made, before] = [edits(), stored.region(id)]
    await image.press('p')
    await page.getByRole('button', { name: /Use proposal|Swap/ }).and(page.locator(':not([disabled])')).waitFor()
    await image.press('f')
    await page.getByText('This phrase is locked').first().waitFor()
    expect([edits(), stored.region(id), await regionId()]).toEqual([made, before, id])
    await image.press('p')
    await image.press('l')
    await page.getByTestId('marks').waitFor({ state: 'detached' })
  })

  it('locks and hides one box of a phrase, over a reload too, and leaves the others free', async () => {
    const id = await regionId()
    const before = boxesOf(id)
    await image.press('b')
    await image.drawBox([60, 60, 84, 84])
    await expect.poll(() => boxesOf(id).length).toBe(before.length + 1)
    const [drawn] = boxesOf(id).slice(-1)
    const n = before.length
    const marks = (index: number) => page.getByTestId(`box-${index}`).locator('[aria-pressed]').getAttribute('data-marks')
    await image.press('Shift+l')
    await expect.poll(() => marks(n)).toBe('locked')
    const made = edits()
    await image.dragBox(drawn!, -20, -20)
    for (const key of ['ArrowRight', 'Delete']) await image.press(key)
    await page.getByText('A box of this phrase is locked').first().waitFor()
    await page.reload()
    await image.ready()
    await expect.poll(() => marks(n)).toBe('locked')
    expect([edits(), boxesOf(id)]).toEqual([made, [...before, drawn]])
    // The others of the phrase are free.
    await page.getByRole('button', { name: 'Select box 1', exact: true }).click()
    await image.press('ArrowDown')
    await expect.poll(() => edits()).toBe(made + 1)
    expect(boxesOf(id)[n]).toEqual(drawn)
    await image.press('Control+z')
    await expect.poll(() => boxesOf(id)).toEqual([...before, drawn])
    await page.getByRole('button', { name: `More for box ${n + 1}` }).click()
    await takePicture(page, 'canvas-box-menu-dark-1440')
    await page.getByRole('menuitem', { name: 'Hide this box' }).click()
    await expect.poll(() => marks(n)).toBe('hidden locked')
    await takePicture(page, 'canvas-box-marks-dark-1440')
    expect(await serious()).toEqual([])
    for (const item of ['Show this box', 'Unlock this box']) {
      await page.getByRole('button', { name: `More for box ${n + 1}` }).click()
      await page.getByRole('menuitem', { name: item }).click()
    }
    await expect.poll(() => marks(n)).toBeNull()
  })

  it('brings boxes and phrases to the front and sends them to the back, each one step of undo', async () => {
    const id = await regionId()
    const before = boxesOf(id)
    expect(before.length).toBeGreaterThan(1)
    await page.getByRole('button', { name: `Select box ${before.length}`, exact: true }).click()
    await image.press('Shift+BracketLeft')
    await expect.poll(() => boxesOf(id)).toEqual([before.at(-1), ...before.slice(0, -1)])
    await expect.poll(() => page.getByTestId('box-0').getAttribute('aria-current')).toBe('true')
    await undo(id, before)
    const z = () => stored.count('SELECT z FROM regions WHERE id = ?', id)
    await image.press('Control+BracketRight')
    await expect.poll(z).toBe(1)
    const made = edits()
    await image.press('Control+BracketRight')
    await page.getByText('This phrase lies in front already').waitFor({ state: 'attached' })
    expect(edits()).toBe(made)
    await page.getByRole('region', { name: 'Inspector' }).getByRole('button', { name: 'More', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Send to the back' }).click()
    await expect.poll(z).toBe(-1)
    await image.press('Control+z')
    await expect.poll(z).toBe(1)
    await image.press('Control+z')
    await expect.poll(z).toBe(0)
    await image.press('Control+z')
    await expect.poll(() => boxesOf(id).length).toBe(before.length - 1)
  })

  it('copies a box, pastes it on another image with the same numbers, and as a phrase of its own', async () => {
    const from = await regionId()
    const [box] = boxesOf(from)
    await image.press('.')
    await image.press('Control+c')
    let to = from
    for (let i = 0; i < 12 && imageOf(to) === imageOf(from); i++) {
      const last = to
      await image.press('j')
      await expect.poll(regionId).not.toBe(last)
      to = await regionId()
    }
    expect(imageOf(to)).not.toBe(imageOf(from))
    await image.ready()
    const before = boxesOf(to)
    await image.press('Control+v')
    await expect.poll(() => boxesOf(to).length).toBe(before.length + 1)
    expect(boxesOf(to)).toEqual([...before, box])
    await undo(to, before)
    await image.press('Control+Shift+v')
    await expect.poll(inHand).not.toBe(to)
    const made = await inHand()
    await expect.poll(() => stored.count('SELECT count(*) FROM regions WHERE id = ?', made)).toBe(1)
    expect(stored.region(made)).toMatchObject({ phrase: stored.region(from).phrase, boxes: [box] })
    expect(imageOf(made)).toBe(imageOf(to))
    // On a box that is there already the copy stands aside.
    await image.press('Control+v')
    await expect.poll(() => boxesOf(made).length).toBe(2)
    expect(boxesOf(made)[1]).not.toEqual(box)
  })

  it('draws an outline by clicks, shapes it, and takes a point away', async () => {
    await rows().nth(8).click()
    const id = await regionId()
    const before = boxesOf(id)
    const outlines = () => JSON.parse(String(stored.rows('SELECT outlines FROM regions WHERE id = ?', id)[0]!['outlines'] ?? '[]')) as number[][]
    await image.press('0')
    await image.press('Shift+p')
    const click = async (x: number, y: number) => {
      const at = await image.toScreen({ x, y })
      await page.mouse.click(at.x, at.y)
    }
    for (const [x, y] of [[10, 10], [60, 12], [70, 60], [80, 80]] as const) await click(x, y)
    await image.press('Backspace')
    await click(20, 50)
    const at = await image.toScreen({ x: 40, y: 70 })
    await page.mouse.move(at.x, at.y)
    await takePicture(page, 'canvas-outline-drawing-dark-1440')
    await image.press('Enter')
    await expect.poll(() => boxesOf(id).length).toBe(before.length + 1)
    const drawn = outlines()[before.length]!
    for (const [i, value] of [10, 10, 60, 12, 70, 60, 20, 50].entries()) expect(drawn[i]).toBeCloseTo(value, 0)
    const bounds = (outline: number[]) => [Math.min(...outline.filter((_, i) => i % 2 === 0)), Math.min(...outline.filter((_, i) => i % 2 === 1)), Math.max(...outline.filter((_, i) => i % 2 === 0)), Math.max(...outline.filter((_, i) => i % 2 === 1))]
    expect(boxesOf(id)[before.length], 'the box is exactly the bounds of the outline').toEqual(bounds(drawn))
    await takePicture(page, 'canvas-outline-dark-1440')
    // A point dragged out, the rest untouched.
    const [from, to] = [await image.toScreen({ x: drawn[4]!, y: drawn[5]! }), await image.toScreen({ x: 85, y: 70 })]
    await page.mouse.move(from.x, from.y)
    await page.mouse.down()
    await page.mouse.move(to.x, to.y, { steps: 4 })
    await page.mouse.up()
    await expect.poll(() => outlines()[before.length]![4]).not.toBe(drawn[4])
    const shaped = outlines()[before.length]!
    expect(shaped.filter((_, i) => i !== 4 && i !== 5)).toEqual(drawn.filter((_, i) => i !== 4 && i !== 5))
    expect(boxesOf(id)[before.length]).toEqual(bounds(shaped))
    await page.mouse.move(to.x, to.y)
    await image.press('Delete')
    await expect.poll(() => outlines()[before.length]!.length).toBe(6)
    await image.press('Control+z')
    await expect.poll(() => outlines()[before.length]).toEqual(shaped)
    // The box moved as a box takes its outline along.
    await image.press('ArrowRight')
    await expect.poll(() => boxesOf(id)[before.length]![0]).toBeCloseTo(bounds(shaped)[0]! + 1, 9)
    expect(boxesOf(id)[before.length]).toEqual(bounds(outlines()[before.length]!))
    for (let i = 0; i < 3; i++) await image.press('Control+z')
    await expect.poll(() => boxesOf(id)).toEqual(before)
    expect(outlines()).toEqual([])
  })

  it('draws and shapes an outline by keys alone, and says each step', async () => {
    const id = await regionId()
    const before = boxesOf(id)
    const outline = () => (JSON.parse(String(stored.rows('SELECT outlines FROM regions WHERE id = ?', id)[0]!['outlines'] ?? '[]')) as number[][])[before.length]
    const says = (text: string | RegExp) => page.locator('[aria-live="polite"]').filter({ hasText: text }).first().waitFor({ state: 'attached' })
    const caret = async () => (await image.pane.getAttribute('data-caret'))!.split(',').map(Number)
    const keys = async (...names: string[]) => {
      for (const name of names) await image.press(name)
    }
    await page.mouse.move(4, 4)
    await keys('0', 'Shift+p')
    await says('By keys: arrows move a cursor')
    await keys('Enter')
    await says(/^Cursor at/)
    await expect.poll(() => image.pane.getAttribute('data-caret')).not.toBe('')
    const [x, y] = await caret()
    await keys('Enter')
    await says(`Point 1 set at ${x}, ${y}`)
    await keys('Shift+ArrowRight', 'ArrowRight', 'Space')
    await says(`Point 2 set at ${x! + 11}, ${y}`)
    await keys('Shift+ArrowDown', 'Enter', 'Shift+ArrowLeft', 'Enter', 'Backspace')
    await says('3 points are left')
    await takePicture(page, 'canvas-outline-keys-dark-1440')
    await keys('c')
    await says('Outline closed with 3 points')
    const drawn = [x!, y!, x! + 11, y!, x! + 11, y! + 10]
    await expect.poll(outline).toEqual(drawn)
    expect(boxesOf(id)[before.length]).toEqual([x, y, x! + 11, y! + 10])
    // Its points, one after the other.
    await keys('Enter')
    await says(`Point 1 of 3 at ${x}, ${y}. Tab goes on`)
    await keys('Tab')
    await says(`Point 2 of 3 at ${x! + 11}, ${y}`)
    await keys('ArrowRight', 'ArrowUp')
    await expect.poll(outline).toEqual([x, y, x! + 12, y! - 1, x! + 11, y! + 10])
    await keys('Insert')
    await expect.poll(() => outline()!.length).toBe(8)
    await takePicture(page, 'canvas-outline-points-dark-1440')
    await keys('Delete')
    await expect.poll(() => outline()!.length).toBe(6)
    await keys('Delete')
    await says('Three points have to stay')
    await keys('Shift+Tab')
    await expect.poll(() => image.pane.getAttribute('data-point')).toBe('1')
    // After Escape Tab leaves the canvas, as anywhere.
    await keys('Escape')
    await expect.poll(() => image.pane.getAttribute('data-point')).toBe('')
    await keys('Tab')
    expect(await page.evaluate("document.activeElement.dataset.canvas === 'image'")).toBe(false)
    while (stored.region(id).boxes.length > before.length) {
      const { revision } = stored.region(id)
      await keys('Control+z')
      await expect.poll(() => stored.region(id).revision).toBeGreaterThan(revision)
    }
    expect(boxesOf(id)).toEqual(before)
  })

  it('shows a large image from tiles, with an overview, and stores what is drawn in its own pixels', async () => {
    const dir = `${story.folder}/large`
    mkdirSync(dir)
    await largePicture(`${dir}/scan.jpg`, 3000, 2200)
    writeFileSync(`${dir}/annotations.json`, JSON.stringify([{ image: 'scan.jpg', caption: 'the far corner', bbox: [[2800, 2000, 2900, 2100]], split: 'train' }]))
    const api = callEngine(story.engine)
    await api.ended((await api.datasets.import({ path: `${dir}/annotations.json`, name: 'scans' })).id)
    const scans = (await api.datasets.list({})).find((one) => one.name === 'scans')!
    api.close()
    const asked: string[] = []
    const listen = (request: { url(): string }) => void asked.push(new URL(request.url()).pathname)
    page.on('request', listen)
    await page.evaluate(`localStorage.setItem('amc.curate', JSON.stringify({ ...JSON.parse(localStorage.getItem('amc.curate') ?? '{}'), tilesFromMegapixels: 2 }))`)
    await page.reload()
    await showScreen(page, 'curate', `dataset=${scans.id}`)
    await image.ready()
    await expect.poll(() => asked.filter((path) => path.startsWith('/media/tile/')).length).toBeGreaterThan(0)
    expect(asked.filter((path) => path.startsWith('/media/image/') && path.includes(String(stored.rows('SELECT id FROM images WHERE dataset_id = ?', scans.id)[0]!['id'])))).toEqual([])
    await expect.poll(() => page.evaluate(`${COLOUR_AT}(1500, 1100)`)).toEqual(expect.arrayContaining([expect.closeTo(127, -1)]))
    const id = await inHand()
    await image.press('z')
    await page.getByTestId('minimap-image').waitFor()
    const level = () => asked.filter((path) => path.startsWith('/media/tile/')).map((path) => Number(path.split('/')[4]))
    await expect.poll(() => Math.max(...level())).toBe(3)
    await expect.poll(() => page.evaluate(`${COLOUR_AT}(2850, 2050)`)).toEqual([expect.closeTo((2850 / 3000) * 255, -1.2), expect.closeTo((2050 / 2200) * 255, -1.2), expect.closeTo(40, -1.2)])
    await takePicture(page, 'canvas-tiles-dark-1440')
    await image.press('Shift+b')
    await image.drawBox([2810, 2010, 2860, 2060])
    await expect.poll(() => boxesOf(id).length).toBe(2)
    for (const [i, value] of [2810, 2010, 2860, 2060].entries()) expect(Math.abs(boxesOf(id)[1]![i]! - value)).toBeLessThan(1)
    await image.press('Escape')
    // Through the overview to the other end.
    const map = (await page.getByTestId('minimap-image').boundingBox())!
    await page.mouse.click(map.x + map.width * 0.1, map.y + map.height * 0.1)
    await expect.poll(() => page.evaluate(`${COLOUR_AT}(300, 220)`)).toEqual([expect.closeTo(25, -1.2), expect.closeTo(25, -1.2), expect.closeTo(40, -1.2)])
    await image.press('r')
    await takePicture(page, 'canvas-tiles-turned-dark-1440')
    await expect.poll(() => page.evaluate(`${COLOUR_AT}(300, 220)`)).toEqual([expect.closeTo(25, -1.2), expect.closeTo(25, -1.2), expect.closeTo(40, -1.2)])
    page.off('request', listen)
    await page.evaluate(`localStorage.setItem('amc.curate', JSON.stringify({ ...JSON.parse(localStorage.getItem('amc.curate')), tilesFromMegapixels: 40 }))`)
    await page.reload()
    await showScreen(page, 'curate', `dataset=${datasetId}`)
    await image.ready()
  })

  it('shows the picture lighter, darker and turned from one menu', async () => {
    const made = edits()
    await page.getByRole('button', { name: 'Picture', exact: true }).click()
    await page.getByRole('slider', { name: 'Gamma' }).focus()
    for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowRight')
    await page.getByRole('checkbox', { name: 'Crosshair through the pointer' }).check()
    await page.getByRole('checkbox', { name: 'Names at the boxes' }).check()
    const filter = await image.pane.locator('canvas').first().evaluate((canvas: { style: { filter: string } }) => canvas.style.filter)
    expect(filter).toContain('gamma-image')
    const exponent = await image.pane.locator('feFuncG').getAttribute('exponent')
    expect(Number(exponent)).toBeCloseTo(1 / 1.4, 6)
    await takePicture(page, 'canvas-picture-menu-dark-1440')
    expect(await serious()).toEqual([])
    await page.getByRole('button', { name: 'Reset' }).click()
    await page.getByRole('checkbox', { name: 'Crosshair through the pointer' }).uncheck()
    await page.getByRole('checkbox', { name: 'Names at the boxes' }).uncheck()
    await page.keyboard.press('Escape')
    expect(edits()).toBe(made)
  })

  it.each(['dark', 'light'] as const)('fits into 1024 x 700 with the queue open, proposals on and every control whole, %s', async (theme) => {
    await page.emulateMedia({ colorScheme: theme })
    await page.setViewportSize({ width: 1024, height: 700 })
    await page.getByRole('button', { name: 'Show queue' }).click()
    await image.press('p')
    await page.getByRole('slider', { name: 'Proposal threshold' }).waitFor()
    await takePicture(page, `canvas-narrow-${theme}-1024`)
    const middles = await page.locator('[class*="heatbar"] > *').evaluateAll((all: { getBoundingClientRect(): { top: number; height: number } }[]) => all.map((one) => one.getBoundingClientRect()).filter((box) => box.height > 2).map((box) => box.top + box.height / 2).sort((a, b) => a - b))
    expect(middles.filter((middle, i) => i === 0 || middle - middles[i - 1]! > 12).length, `rows of the heat bar: ${middles.join(' ')}`).toBe(2)
    const cut = await page.getByRole('toolbar', { name: 'Canvas tools' }).evaluate(CUT)
    expect(cut).toEqual([])
    await image.press('p')
    await page.getByRole('button', { name: 'Hide queue' }).click()
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.emulateMedia({ colorScheme: 'dark' })
  })

  it('takes the keys of another tool, and keys of one’s own, and shows where one is used twice', async () => {
    const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
    const line = (id: string) => sheet.locator(`[data-command="${id}"]`)
    const change = async (id: string, key: string) => {
      await line(id).getByRole('button', { name: /^Change the keys/ }).click()
      await page.keyboard.press(key)
      await line(id).getByRole('button', { name: /^Change the keys/ }).waitFor()
    }
    await image.press('?')
    await sheet.getByTestId('key-preset').click()
    await page.getByRole('option', { name: 'CVAT' }).click()
    await change('region.accept', 'q')
    await takePicture(page, 'shortcuts-cvat-dark-1440')
    expect(await serious()).toEqual([])
    await page.keyboard.press('Escape')
    await sheet.waitFor({ state: 'detached' })
    const words = page.getByRole('region', { name: 'Inspector' }).getByRole('button', { name: /^(Accept|Reject|Skip)$/ }).locator('span:first-of-type')
    expect(await words.evaluateAll((spans) => spans.map((one: { scrollWidth: number, clientWidth: number }) => one.scrollWidth > one.clientWidth)), 'words cut by their keys').toEqual([false, false, false])
    // As a hand from there would: F goes on, N draws, Q is one's own.
    const id = await regionId()
    await image.press('n')
    await expect.poll(() => image.pane.getAttribute('data-tool')).toBe('draw')
    await image.press('Escape')
    await image.press('f')
    await expect.poll(regionId).not.toBe(id)
    const second = await regionId()
    await image.press('a')
    await page.reload()
    await image.ready()
    expect(stored.region(second).status).toBe('unreviewed')
    await image.press('q')
    await expect.poll(() => stored.region(second).status).toBe('accepted')
    await page.getByTestId('save-state').filter({ hasText: 'All changes saved' }).waitFor()
    await image.press('Control+s')
    await page.getByRole('region', { name: 'News' }).getByText('All changes saved').waitFor()
    await image.press('?')
    await change('region.reject', 'q')
    await line('region.reject').getByText('Also Accept and next').waitFor()
    await takePicture(page, 'shortcuts-conflict-dark-1440')
    await page.emulateMedia({ colorScheme: 'light' })
    await takePicture(page, 'shortcuts-conflict-light-1440')
    expect(await serious()).toEqual([])
    await page.emulateMedia({ colorScheme: 'dark' })
    await sheet.getByRole('button', { name: 'Undo my changes' }).click()
    await sheet.getByTestId('key-preset').click()
    await page.getByRole('option', { name: 'Standard' }).click()
    await page.keyboard.press('Escape')
    await sheet.waitFor({ state: 'detached' })
    const third = await regionId()
    await image.press('x')
    await expect.poll(() => stored.region(third).status).toBe('rejected')
  })

  it('wrote no error to the console all along', () => {
    expect(story.open.faults).toEqual([])
  })
})

/** Red grows to the right and green downwards: each place can be told by its colour. */
async function largePicture(path: string, width: number, height: number): Promise<void> {
  const data = Buffer.alloc(width * height * 3, 40)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data[(y * width + x) * 3] = Math.round((x / width) * 255)
      data[(y * width + x) * 3 + 1] = Math.round((y / height) * 255)
    }
  }
  await sharp(data, { raw: { width, height, channels: 3 } }).jpeg({ quality: 92 }).toFile(path)
}

/** In the page: the colour of the photograph's layer at a point of the image. */
const COLOUR_AT = `((x, y) => {
  const host = document.querySelector('[data-canvas="image"]')
  const canvas = host.querySelector('canvas')
  const ratio = canvas.width / host.clientWidth
  const { scale, offsetX, offsetY, turn } = host.dataset
  const [dx, dy] = [x * Number(scale), y * Number(scale)]
  const [right, down] = [[dx, dy], [-dy, dx], [-dx, -dy], [dy, -dx]][Number(turn)]
  return [...canvas.getContext('2d').getImageData(Math.round((Number(offsetX) + right) * ratio), Math.round((Number(offsetY) + down) * ratio), 1, 1).data].slice(0, 3)
})`

interface Measured {
  readonly textContent: string | null
  getAttribute(name: string): string | null
  getBoundingClientRect(): { readonly left: number; readonly right: number; readonly width: number }
  querySelectorAll(selector: string): Iterable<Measured>
}

/** In the page: names of the toolbar's visible buttons that reach out of it. */
const CUT = (toolbar: Measured): string[] => {
  const bar = toolbar.getBoundingClientRect()
  const found: string[] = []
  for (const button of toolbar.querySelectorAll('button')) {
    const box = button.getBoundingClientRect()
    if (box.width > 0 && (box.left < bar.left - 0.5 || box.right > bar.right + 0.5)) found.push(button.getAttribute('aria-label') ?? button.textContent ?? '')
  }
  return found
}
