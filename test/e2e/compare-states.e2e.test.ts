/** Compare where things are missing, long or unlike, what its viewer draws of a region, and the tests of the explanation. */
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TRUST_FIGURES } from '../../src/shared/contract/trust.ts'
import type { Box } from '../../src/shared/geometry.ts'
import { type ComparedProject, makeComparedProject } from '../support/compared-project.ts'
import { findChromium, NO_BROWSER, openPage, type OpenPage } from './browser.ts'
import { callEngine, type EngineClient } from './call.ts'
import { makeSmallDemo, serve, type ServedEngine, temporaryFolder } from './engine.ts'
import { readProject } from './project-reader.ts'
import { showScreen, takePicture } from './screens.ts'

const SIZES = [['dark', 1440, 900], ['light', 1440, 900], ['dark', 1024, 700], ['light', 1024, 700]] as const

describe.skipIf(!findChromium())(`Compare in every state${findChromium() ? '' : ` (${NO_BROWSER})`}`, () => {
  let folder: { path: string; remove: () => Promise<void> }
  let project: ComparedProject
  let engine: ServedEngine
  let client: EngineClient
  let open: OpenPage

  beforeAll(async () => {
    folder = await temporaryFolder('states')
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

  const query = (ids: readonly string[], more = '&split=val') => `dataset=${project.datasetId}&${ids.map((id, i) => `${'abcd'[i]!}=${id}`).join('&')}${more}`
  const lastTwo = () => project.checkpointIds.slice(3)
  const ready = () => open.page.locator('[data-testid="pair-stage"][data-ready="true"]').waitFor()

  it('draws the outline of a region and not its box, in every mode and in the gallery', async () => {
    const reader = readProject(engine.projectDir)
    const [stored] = reader.rows("SELECT r.id, r.boxes, i.width, i.height FROM regions r JOIN images i ON i.id = r.image_id WHERE r.outlines <> '[]' AND r.box_count = 1 AND r.split = 'val' ORDER BY r.position")
    reader.close()
    const [x1, y1, x2, y2] = (JSON.parse(String(stored!['boxes'])) as Box[])[0]!
    const middle = { x: (x1 + x2) / 2, y: (y1 + y2) / 2 }
    const scale = 2
    const { page } = open
    // In the middle of an edge of the diamond is its line, at a corner of the box is none.
    const edge = { x: (x1 + middle.x) / 2, y: (y1 + middle.y) / 2 }
    for (const mode of ['side', 'wipe', 'blink', 'difference']) {
      await showScreen(page, 'compare', query(lastTwo(), `&split=val&cell=all&region=${String(stored!['id'])}&mode=${mode}&held=1&camera=${middle.x}~${middle.y}~${scale}`))
      await ready()
      const canvases = page.getByTestId('pair-stage').locator('canvas')
      for (let i = 0; i < (mode === 'side' ? 2 : 1); i++) {
        const box = (await canvases.nth(i).boundingBox())!
        const at = (point: { x: number; y: number }) => [box.width / 2 + (point.x - middle.x) * scale, box.height / 2 + (point.y - middle.y) * scale] as const
        await expect.poll(() => isDrawn(page, 'pair-stage', i, ...at(edge)), { message: `${mode}, edge of the outline` }).toBe(true)
        expect(await isDrawn(page, 'pair-stage', i, ...at({ x: x1, y: y1 })), `${mode}, corner of the box`).toBe(false)
      }
      await takePicture(page, `compare-outline-${mode}`)
    }
    const card = page.locator(`[id="pair-${String(stored!['id'])}"]`)
    const thumb = (await card.locator('canvas').first().boundingBox())!
    const fit = Math.min(thumb.width / Number(stored!['width']), thumb.height / Number(stored!['height']))
    const at = ({ x, y }: { x: number; y: number }) => [(thumb.width - Number(stored!['width']) * fit) / 2 + x * fit, (thumb.height - Number(stored!['height']) * fit) / 2 + y * fit] as const
    const find = await page.evaluate<number>(`[...document.querySelectorAll('[data-testid="pair"]')].findIndex((one) => one.id === ${JSON.stringify(`pair-${String(stored!['id'])}`)})`)
    await expect.poll(() => isDrawn(page, `pair:${find}`, 0, ...at(edge))).toBe(true)
    expect(await isDrawn(page, `pair:${find}`, 0, ...at({ x: x1, y: y1 }))).toBe(false)
  })

  it('holds the explainer in the address: a link draws its heat and shows its tests', async () => {
    const { page } = open
    await showScreen(page, 'compare', query(lastTwo(), '&split=val&cell=all&explainer=gradient-rollout~itm'))
    await expect.poll(() => page.getByTestId('explainer').innerText()).toContain('Gradient rollout')
    // Only the last one was tested by it.
    await expect.poll(() => page.getByTestId('trust').locator('tbody td:nth-child(2)').first().innerText()).toBe('–')
    expect(await page.getByTestId('trust').locator('tbody td:nth-child(3)').first().innerText()).toMatch(/^0\.\d\d$/)
    await page.getByTestId('explainer').click()
    await page.getByRole('option', { name: 'Raw attention', exact: true }).click()
    await expect.poll(() => page.url()).toMatch(/explainer=attention(~|%7E)itm/)
    await expect.poll(() => page.getByTestId('trust').innerText()).toContain('Not yet tested here')
    await page.reload()
    await expect.poll(() => page.getByTestId('explainer').innerText()).toContain('Raw attention')
    await page.getByTestId('explainer').click()
    await page.getByRole('option', { name: 'Grad-CAM (AMC)', exact: true }).click()
    await expect.poll(() => page.url()).not.toContain('explainer')
  })

  it('shows the tests of the explanation beside the pointing game: the stored numbers, the curves, what each says', async () => {
    const { page } = open
    await showScreen(page, 'compare', query(lastTwo()))
    await page.getByTestId('trust').getByText('Small shifts').waitFor()
    await page.getByRole('button', { name: 'Curves' }).click()
    await page.getByTestId('trust-figures').waitFor()
    const stored = await client.trust.list({ datasetId: project.datasetId })
    const comparison = await client.compare.get({ population: { datasetId: project.datasetId, split: 'val' }, checkpointIds: lastTwo() })
    const cells = async (row: number) => (await page.getByTestId('trust-figures').locator(`tbody tr:nth-child(${row}) td`).allInnerTexts()).slice(1).map((text) => text.replace('−', '-'))
    expect(await cells(1)).toEqual(comparison.checkpoints.map(({ means }) => `${(means!.pointingGame.value * 100).toFixed(1)} %`))
    for (const [i, { of, says }] of TRUST_FIGURES.entries()) {
      expect(await cells(i + 2)).toEqual(lastTwo().map((id) => of(stored.find((one) => one.checkpointId === id && one.protocol === 'AMC strict')!).toFixed(3)))
      await page.getByTestId('trust-figures').getByText(says).waitFor()
    }
    await expect.poll(() => page.getByTestId('figure').count()).toBe(3)
    const caption = await page.getByTestId('figure').first().locator('figcaption').innerText()
    for (const part of ['Run 2 · step 300', '32 of 115 regions drawn with seed 1', 'Grad-CAM (AMC), itm, layer', 'Demo scenes, val']) expect(caption).toContain(part)
  })

  it('a test that cannot be made says why and leaves what was measured; one of others is offered', async () => {
    const { page } = open
    await showScreen(page, 'compare', query([project.checkpointIds[1]!, ...lastTwo()], '&split=val&panel=trust'))
    await page.getByRole('button', { name: 'Test the other one' }).click()
    // Weights drawn by arithmetic are no model.
    await page.getByRole('dialog').getByRole('alert').getByText('The test failed').waitFor({ timeout: 60_000 })
    await takePicture(page, 'compare-trust-failed')
    expect(await page.getByTestId('figure').count()).toBe(3)
    await showScreen(page, 'compare', query(lastTwo(), '&split=val&panel=trust&explainer=hirescam~itc'))
    await page.getByText('Not yet tested with this explainer').waitFor()
    await takePicture(page, 'compare-trust-empty')
  })

  it('says what is missing: some of one, all of one, all of a view, an empty view', async () => {
    const { page } = open
    await showScreen(page, 'compare', query([...lastTwo(), project.otherId]))
    await page.getByText(/left out: not scored by all/).waitFor()
    await page.getByTestId('headline-pointingGame').waitFor()
    await showScreen(page, 'compare', query(lastTwo(), '&split=train'))
    await page.getByRole('button', { name: 'Score both' }).waitFor()
    await client.views.save({ id: 'none', name: 'nothing that is there, under a name which goes on for a good while', filter: { datasetId: project.datasetId, text: 'zzz nothing' }, sort: 'file-order', descending: false })
    await showScreen(page, 'compare', query(lastTwo(), '&view=none'))
    await page.getByText('No regions here').waitFor()
    await client.views.save({ id: 'short', name: 'only a dog', filter: { datasetId: project.datasetId, text: 'dog', splits: ['val'] }, sort: 'file-order', descending: false })
    await showScreen(page, 'compare', query(lastTwo(), '&view=short&cell=all'))
    await page.getByTestId('headline-pointingGame').waitFor()
    // What was tested on val says nothing of a view.
    await expect.poll(() => page.getByTestId('trust').innerText()).toContain('Not yet tested here')
  })

  it('a project with nothing says what to do', async () => {
    const empty = await serve(join(folder.path, 'empty'))
    const page = await openPage(empty)
    try {
      await showScreen(page.page, 'compare')
      await page.page.getByText('Nothing to compare on yet').waitFor()
      await takePicture(page.page, 'compare-nothing')
    } finally {
      await page.close()
      await empty.close()
    }
  })

  for (const [theme, width, height] of SIZES) {
    it(`every state holds its window and reads well: ${theme}, ${width} px`, async () => {
      const other = await openPage(engine, { theme, width, height })
      const [c1, , c3, c4] = [project.checkpointIds[1]!, project.checkpointIds[2]!, project.checkpointIds[3]!, project.checkpointIds[4]!]
      try {
        for (const [name, address] of [
          ['trust', query(lastTwo(), '&split=val&panel=trust')], ['trust-four', query([c1, project.otherId, c3, c4], '&split=val&panel=trust')], ['trust-none', query(lastTwo(), '&split=val&panel=trust&explainer=hirescam~itc')],
          ['long', query([project.otherId, c4], '&split=val&cell=all&mode=side')], ['long-report', query([project.otherId, c4], '&split=val&panel=report')], ['long-slices', query([project.otherId, c3, c4], '&split=val&panel=slices')], ['long-changes', query([project.otherId, c4], '&split=val&panel=changes')],
          ['partly', query([c3, c4, project.otherId])], ['unscored', query([c3, c4], '&split=train')], ['no-regions', query(lastTwo(), '&view=none')], ['few', query(lastTwo(), '&view=short&cell=all')],
        ] as const) {
          await showScreen(other.page, 'compare', address)
          await other.page.waitForTimeout(400)
          await takePicture(other.page, `states-${name}-${theme}-${width}`)
          expect(await other.page.evaluate('document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight'), name).toBe(true)
          // Nothing stands out of the bar or of an open dialog.
          expect(await other.page.evaluate('[...document.querySelectorAll("[role=dialog], [data-testid=compare-bar]")].filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => `${one.tagName} ${one.className}: ${one.scrollWidth} in ${one.clientWidth}`)'), name).toEqual([])
          if (width === 1440 || name.startsWith('trust')) {
            const { violations } = await new AxeBuilder({ page: other.page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze()
            expect(violations.filter((one) => one.impact === 'serious' || one.impact === 'critical').map((one) => `${name} ${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(' | ')}`)).toEqual([])
          }
        }
        expect(other.faults).toEqual([])
      } finally {
        await other.close()
      }
    })
  }

  it('wrote no error to the console all along', () => expect(open.faults).toEqual([]))
})

/** Is a line of an annotated shape (blue) or of a difference (white) at this place of a canvas, or within 2 px of it? */
function isDrawn(page: Page, host: string, canvas: number, x: number, y: number): Promise<boolean> {
  const [name, at = '0'] = host.split(':')
  return page.evaluate<boolean>(`(() => {
    const canvas = document.querySelectorAll('[data-testid="${name!}"]')[${at}].querySelectorAll('canvas')[${canvas}]
    const ratio = canvas.width / canvas.clientWidth
    const { data } = canvas.getContext('2d').getImageData(Math.round(${x} * ratio) - 2, Math.round(${y} * ratio) - 2, 5, 5)
    let [blue, white] = [false, false]
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b] = [data[i], data[i + 1], data[i + 2]]
      if (b > 140 && b - r > 70 && g - r > 20) blue = true
      if (Math.min(r, g, b) > 235) white = true
    }
    return blue || white
  })()`)
}
