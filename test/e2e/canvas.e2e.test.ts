/**
 * The canvas in the annotator's hands: every tool once through the page, judged by what the database holds afterwards. Whatever only
 * changes the view must leave every stored number alone.
 */
import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Locator, Page } from 'playwright-core'
import { findChromium, NO_BROWSER, type OpenPage, openPage } from './browser.ts'
import { callEngine } from './call.ts'
import { type CanvasDriver, canvasDriver } from './canvas-driver.ts'
import { makeSmallDemo, type ServedEngine, serve, temporaryFolder } from './engine.ts'
import { type ProjectReader, readProject } from './project-reader.ts'
import { showScreen, takePicture } from './screens.ts'

const chromium = findChromium()
if (!chromium) console.warn(NO_BROWSER)

describe.skipIf(!chromium)(`the canvas${chromium ? '' : ` (${NO_BROWSER})`}`, () => {
  let folder: { path: string; remove: () => Promise<void> }
  let engine: ServedEngine
  let open: OpenPage
  let page: Page
  let image: CanvasDriver
  let stored: ProjectReader

  beforeAll(async () => {
    folder = await temporaryFolder('canvas')
    engine = await serve(`${folder.path}/project`)
    const api = callEngine(engine)
    await api.ended((await api.datasets.import({ path: await makeSmallDemo(`${folder.path}/small-demo`), name: 'small demo' })).id)
    const datasetId = (await api.datasets.list({}))[0]!.id
    api.close()
    open = await openPage(engine)
    page = open.page
    image = canvasDriver(page, 'image')
    stored = readProject(engine.projectDir)
    await showScreen(page, 'curate', `dataset=${datasetId}`)
    await image.ready()
    await page.locator('[data-heat]').first().waitFor()
  })
  afterAll(async () => {
    stored?.close()
    await open?.close()
    await engine?.close()
    await folder?.remove()
  })

  const rows = (): Locator => page.getByTestId('queue').locator('[role="option"]')
  const regionId = async (): Promise<string> => (await rows().and(page.locator('[aria-selected="true"]')).getAttribute('data-region'))!
  const inHand = async (): Promise<string> => (await page.getByRole('region', { name: 'Inspector' }).locator('[title][data-selectable]').getAttribute('title'))!
  const allSaved = () => page.getByTestId('save-state').filter({ hasText: 'All changes saved' }).waitFor()
  const edits = () => stored.count('SELECT count(*) FROM edits')
  const boxesOf = (id: string) => stored.region(id).boxes
  const imageOf = (id: string) => String(stored.rows('SELECT image_id FROM regions WHERE id = ?', id)[0]!['image_id'])
  const undo = async (id: string, before: unknown) => {
    await image.press('Control+z')
    await expect.poll(() => boxesOf(id)).toEqual(before)
  }
  const serious = async (): Promise<string[]> => {
    const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']).options({ rules: { 'label-content-name-mismatch': { enabled: true } } }).analyze()
    return violations.filter((one) => one.impact === 'serious' || one.impact === 'critical').map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(' | ')}`)
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
    expect(await image.pane.getAttribute('data-tool')).toBe('draw')
    await image.press('Escape')
    expect(await image.pane.getAttribute('data-tool')).toBe('select')
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
    while ((await image.pane.getAttribute('data-turn')) !== '1') await image.press('r')
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
    expect(await image.pane.getAttribute('data-turn')).toBe('0')
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
    const middles = await page.locator('[class*="heatbar"] > *').evaluateAll((all: { getBoundingClientRect(): { top: number; height: number } }[]) => all.map((one) => one.getBoundingClientRect()).filter((box) => box.height > 0).map((box) => box.top + box.height / 2).sort((a, b) => a - b))
    expect(middles.filter((middle, i) => i === 0 || middle - middles[i - 1]! > 12).length, `rows of the heat bar: ${middles.join(' ')}`).toBe(2)
    const cut = await page.getByRole('toolbar', { name: 'Canvas tools' }).evaluate(CUT)
    expect(cut).toEqual([])
    await image.press('p')
    await page.getByRole('button', { name: 'Hide queue' }).click()
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.emulateMedia({ colorScheme: 'dark' })
  })

  it('wrote no error to the console all along', () => {
    expect(open.faults).toEqual([])
  })
})

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
