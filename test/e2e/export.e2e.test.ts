/** A person takes a dataset out: sees what the format cannot hold, allows it, and finds the files. And reads a source again, deciding a conflict. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findChromium, NO_BROWSER, openPage } from './browser.ts'
import { callEngine } from './call.ts'
import { makeSmallDemo, type ServedEngine, serve, temporaryFolder } from './engine.ts'
import { showScreen, takePicture } from './screens.ts'

const chromium = findChromium()
if (!chromium) console.warn(NO_BROWSER)

describe.skipIf(!chromium)(`exporting in a browser${chromium ? '' : ` (${NO_BROWSER})`}`, () => {
  let folder: { path: string; remove: () => Promise<void> }
  let engine: ServedEngine

  beforeAll(async () => {
    folder = await temporaryFolder('export')
    engine = await serve(`${folder.path}/project`)
    const api = callEngine(engine)
    await api.ended((await api.datasets.import({ path: await makeSmallDemo(`${folder.path}/small-demo`), name: 'small demo' })).id)
    api.close()
  })
  afterAll(async () => {
    await engine?.close()
    await folder?.remove()
  })

  it.each([['dark', 1440, 900], ['light', 1024, 700]] as const)('by keys, in %s at %i x %i', async (theme, width, height) => {
    const open = await openPage(engine, { theme, width, height })
    const { page } = open
    try {
      await showScreen(page, 'library')
      await page.keyboard.press('e')
      const dialog = page.getByRole('dialog', { name: 'Export small demo' })
      await dialog.getByText(/AMC JSON Lines holds everything of 250 images/).waitFor()
      await takePicture(page, `export-whole-${theme}-${width}`)
      await dialog.getByRole('combobox', { name: 'Format' }).click()
      await page.waitForTimeout(300)
      await takePicture(page, `export-formats-${theme}-${width}`)
      await page.getByRole('option', { name: 'YOLO folder' }).click()
      await dialog.getByText('YOLO folder cannot hold everything').waitFor()
      const go = dialog.getByRole('button', { name: /^Export \d+ regions/ })
      expect(await go.isDisabled()).toBe(true)
      const out = join(folder.path, `out-${theme}`)
      await dialog.getByRole('textbox', { name: 'New folder' }).fill(out)
      await dialog.getByRole('checkbox', { name: /Leave this out/ }).check()
      await takePicture(page, `export-losses-${theme}-${width}`)
      const { violations } = await new AxeBuilder({ page }).include('[role="dialog"]').withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze()
      expect(violations.filter((one) => one.impact === 'serious' || one.impact === 'critical').map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(' | ')}`)).toEqual([])
      expect(existsSync(out)).toBe(false)
      await go.click()
      await dialog.getByText(/250 images and \d+ regions written to/).waitFor()
      await takePicture(page, `export-done-${theme}-${width}`)
      expect(readdirSync(out).sort()).toEqual(['data.yaml', 'images', 'labels'])
      expect(readFileSync(join(out, 'data.yaml'), 'utf8')).toContain('names:')
      await dialog.getByRole('button', { name: 'Done' }).click()
      await page.keyboard.press('e')
      await dialog.getByText('AMC JSON Lines holds everything').waitFor()
      await dialog.getByRole('textbox', { name: 'File or new folder' }).fill(join(folder.path, 'small-demo'))
      await go.click()
      await dialog.getByText(/is not an empty folder/).first().waitFor()
      await takePicture(page, `export-refused-${theme}-${width}`)
      await dialog.getByRole('button', { name: 'Back' }).click()
      writeFileSync(join(folder.path, 'there.jsonl'), '')
      await dialog.getByRole('textbox', { name: 'File or new folder' }).fill(join(folder.path, 'there.jsonl'))
      await go.click()
      await dialog.getByText(/exists already/).first().waitFor()
      expect(await dialog.getByText(/replace/).count()).toBe(0)
      expect(open.faults).toEqual([])
    } finally {
      await open.close()
    }
  })

  it.each([['light', 1440, 900], ['dark', 1024, 700]] as const)('updates from a source that changed, in %s at %i x %i', async (theme, width, height) => {
    const annotations = join(folder.path, 'small-demo', 'annotations.json')
    const entries = JSON.parse(readFileSync(annotations, 'utf8')) as { caption: string }[]
    const api = callEngine(engine)
    const [dataset] = await api.datasets.list({})
    const { rows } = await api.regions.query({ filter: { datasetId: dataset!.id }, sort: 'file-order', descending: false, offset: 0, limit: 2 })
    const region = (await api.regions.onImage({ imageId: rows[0]!.imageId, checkpointIds: [] })).regions.find((one) => one.id === rows[0]!.id)!
    await api.regions.apply({ editId: `e-${theme}`, label: 'Edit', edits: [{ regionId: region.id, revision: region.revision, diff: { phrase: { before: region.phrase, after: `mine ${theme}` } } }] })
    writeFileSync(annotations, JSON.stringify(entries.map((one, i) => (i < 2 ? { ...one, caption: `theirs ${theme} ${i}` } : one))))
    const open = await openPage(engine, { theme, width, height })
    const { page } = open
    try {
      await showScreen(page, 'library')
      await page.getByRole('button', { name: 'Actions for small demo' }).click()
      await page.getByRole('menuitem', { name: 'Update from its source' }).click()
      const dialog = page.getByRole('dialog', { name: 'Update small demo' })
      await dialog.getByText('1 region changed here and there').waitFor()
      await dialog.getByRole('group', { name: `Which to take of mine ${theme}` }).getByRole('button', { name: 'Theirs' }).click()
      await page.waitForTimeout(200)
      await takePicture(page, `update-conflict-${theme}-${width}`)
      const { violations } = await new AxeBuilder({ page }).include('[role="dialog"]').withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze()
      expect(violations.filter((one) => one.impact === 'serious' || one.impact === 'critical').map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(' | ')}`)).toEqual([])
      await dialog.getByRole('button', { name: 'Update', exact: true }).click()
      await dialog.getByText('0 regions added, 1 changed, 0 removed, 1 conflict decided.').waitFor()
      const after = (await api.regions.query({ filter: { datasetId: dataset!.id }, sort: 'file-order', descending: false, offset: 0, limit: 2 })).rows.map((row) => row.phrase)
      expect(after).toEqual([`theirs ${theme} 0`, `theirs ${theme} 1`])
      await takePicture(page, `update-done-${theme}-${width}`)
      expect(open.faults).toEqual([])
    } finally {
      api.close()
      await open.close()
    }
  })
})
