/** A project as one file, made and opened on the page; and conflicts with a source, from the badge to the decision. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findChromium, NO_BROWSER, type OpenPage, openPage } from './browser.ts'
import { callEngine } from './call.ts'
import { makeSmallDemo, type ServedEngine, serve, temporaryFolder } from './engine.ts'
import { readProject } from './project-reader.ts'
import { findingsOf, outside, showScreen, takePicture } from './screens.ts'

const chromium = findChromium()
if (!chromium) console.warn(NO_BROWSER)

describe.skipIf(!chromium)(`archives and conflicts${chromium ? '' : ` (${NO_BROWSER})`}`, () => {
  let folder: { path: string; remove: () => Promise<void> }
  let engine: ServedEngine
  let open: OpenPage

  beforeAll(async () => {
    folder = await temporaryFolder('archive')
    engine = await serve(join(folder.path, 'project'))
    const api = callEngine(engine)
    await api.ended((await api.datasets.import({ path: await makeSmallDemo(join(folder.path, 'small-demo')), name: 'small demo' })).id)
    api.close()
    open = await openPage(engine, { theme: 'light', width: 1024, height: 700 })
  })
  afterAll(async () => {
    await open?.close()
    await engine?.close()
    await folder?.remove()
  })

  it('archives the project from its menu, and says what the file holds', async () => {
    const { page } = open
    await showScreen(page, 'curate')
    await page.getByRole('banner').getByRole('button').first().click()
    await page.getByRole('menuitem', { name: 'Archive this project' }).click()
    const dialog = page.getByRole('dialog', { name: 'Archive this project' })
    await dialog.waitFor()
    expect(await dialog.getByRole('textbox', { name: 'Zip file' }).inputValue()).toMatch(/exports[\\/]project-\d{4}-\d\d-\d\d\.zip$/)
    expect(await findingsOf(page)).toEqual([])
    expect(await outside(page)).toEqual([])
    await takePicture(page, 'archive-form')
    await dialog.getByRole('textbox', { name: 'Zip file' }).fill(join(folder.path, 'kept.zip'))
    await dialog.getByRole('button', { name: 'Archive', exact: true }).click()
    await dialog.getByText(/\d+ files, .* written to/).waitFor()
    await takePicture(page, 'archive-done')
    expect(existsSync(join(folder.path, 'kept.zip'))).toBe(true)
    await dialog.getByRole('button', { name: 'Done' }).click()
    await dialog.waitFor({ state: 'detached' })
  })

  it('refuses to overwrite it, and can be asked again', async () => {
    const { page } = open
    await page.locator('body').press('Control+k')
    await page.getByRole('combobox').fill('Archive this')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Archive this project' })
    await dialog.getByRole('textbox', { name: 'Zip file' }).fill(join(folder.path, 'kept.zip'))
    await dialog.getByRole('button', { name: 'Archive', exact: true }).click()
    await dialog.getByRole('alert').getByText('Nothing was archived').waitFor()
    await takePicture(page, 'archive-refused')
    await dialog.getByRole('button', { name: 'Back' }).click()
    await dialog.getByRole('textbox', { name: 'Zip file' }).waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
  })

  it('restores it into a new folder and says what to start; the restored project opens', async () => {
    const { page } = open
    await page.getByRole('banner').getByRole('button').first().click()
    await page.getByRole('menuitem', { name: 'Restore an archive' }).click()
    const dialog = page.getByRole('dialog', { name: 'Restore an archive' })
    const restored = join(folder.path, 'again')
    await dialog.getByRole('textbox', { name: 'Archive' }).fill(join(folder.path, 'kept.zip'))
    await dialog.getByRole('textbox', { name: 'New folder' }).fill(restored)
    await takePicture(page, 'restore-form')
    await dialog.getByRole('button', { name: 'Restore', exact: true }).click()
    await dialog.getByText('all as archived').waitFor()
    await dialog.getByText(`npm start -- --project ${restored}`).waitFor()
    await takePicture(page, 'restore-done')
    expect(await findingsOf(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Done' }).click()
    const count = (project: string) => {
      const reader = readProject(project)
      const found = reader.count('SELECT count(*) FROM regions')
      reader.close()
      return found
    }
    const second = await serve(restored)
    const other = await openPage(second, { width: 1024, height: 700 })
    try {
      await showScreen(other.page, 'library')
      await other.page.getByTestId('dataset-row').getByText('small demo').waitFor()
    } finally {
      await other.close()
      await second.close()
    }
    expect(count(restored)).toBe(count(engine.projectDir))
    expect(count(restored)).toBeGreaterThan(0)
  })

  it('says before an import that its source is in the project already, and offers to update that dataset', async () => {
    const { page } = open
    const imported = readProject(engine.projectDir)
    const source = String(imported.rows("SELECT source FROM datasets WHERE name = 'small demo'")[0]!['source'])
    imported.close()
    await showScreen(page, 'library', `import=open&path=${encodeURIComponent(source)}`)
    const preview = page.getByRole('region', { name: 'Import preview' })
    await preview.getByText('This source is in the project already, as small demo. Importing it again makes a second dataset.').waitFor()
    expect(await findingsOf(page)).toEqual([])
    await takePicture(page, 'import-again')
    await preview.getByRole('button', { name: 'Update from its source' }).click()
    const dialog = page.getByRole('dialog', { name: 'Update small demo' })
    await dialog.waitFor()
    expect(await preview.count()).toBe(0)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
  })

  it('shows conflicts that an update left at the dataset, and takes a decision on each', async () => {
    const { page } = open
    const api = callEngine(engine)
    const [dataset] = await api.datasets.list({})
    const source = join(folder.path, 'small-demo', 'annotations.json')
    const phrases = async () => {
      const reader = readProject(engine.projectDir)
      const found = reader.rows('SELECT phrase FROM regions WHERE dataset_id = ? ORDER BY position LIMIT 2', dataset!.id).map((row) => row['phrase'])
      reader.close()
      return found
    }
    const { rows } = await api.regions.query({ filter: { datasetId: dataset!.id }, sort: 'file-order', descending: false, offset: 0, limit: 2 })
    for (const { id, imageId } of rows) {
      const region = (await api.regions.onImage({ imageId, checkpointIds: [] })).regions.find((one) => one.id === id)!
      await api.regions.apply({ editId: `mine-${id}`, label: 'Edit', edits: [{ regionId: id, revision: region.revision, diff: { phrase: { before: region.phrase, after: `mine ${region.phrase}` } } }] })
    }
    const mine = await phrases()
    const entries = JSON.parse(readFileSync(source, 'utf8')) as { caption: string }[]
    writeFileSync(source, JSON.stringify(entries.map((one, i) => (i < 2 ? { ...one, caption: `theirs ${i}` } : one))))
    // As the watching of a source does it: nobody is there to decide.
    await api.ended((await api.datasets.update({ id: dataset!.id })).id)
    api.close()
    expect(await phrases()).toEqual(mine)

    await showScreen(page, 'library')
    const badge = page.getByTestId('dataset-row').getByRole('button', { name: '2 conflicts' })
    await badge.waitFor()
    await takePicture(page, 'conflicts-badge')
    expect(await findingsOf(page)).toEqual([])
    await page.reload()
    await badge.click()
    const dialog = page.getByRole('dialog', { name: 'Update small demo' })
    await dialog.getByText('2 regions changed here and there').waitFor()
    await dialog.getByRole('group', { name: `Which to take of ${String(mine[0])}` }).getByRole('button', { name: 'Mine' }).click()
    await dialog.getByRole('group', { name: `Which to take of ${String(mine[1])}` }).getByRole('button', { name: 'Theirs' }).click()
    await takePicture(page, 'conflicts-decided')
    await dialog.getByRole('button', { name: 'Update', exact: true }).click()
    await dialog.getByText('2 conflicts decided.').waitFor()
    expect(await phrases()).toEqual([mine[0], 'theirs 1'])
    await dialog.getByRole('button', { name: 'Done' }).click()
    await badge.waitFor({ state: 'detached' })
    expect(open.faults).toEqual([])
  })
})
