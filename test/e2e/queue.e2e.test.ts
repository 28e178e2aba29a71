/**
 * The queue with many rows: selecting, editing many at once, taking it back, searching, views that stay, putting back an earlier state,
 * and a second person's review. One page, one engine; each step goes on where the last one ended.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import type { Locator, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findChromium, NO_BROWSER } from './browser.ts'
import type { EngineClient } from './call.ts'
import type { CanvasDriver } from './canvas-driver.ts'
import { type Eyes, eyesOn, openStory, type Story } from './open-story.ts'
import type { ProjectReader } from './project-reader.ts'
import { takePicture } from './screens.ts'

const chromium = findChromium()
if (!chromium) console.warn(NO_BROWSER)
const CROWD = 2500

/** Six pictures of five things each, and one with thousands of phrases. */
async function writePictures(folder: string): Promise<string> {
  await mkdir(folder)
  const entries: unknown[] = []
  const things = ['red mug', 'blue mug', 'green chair', 'small dog', 'striped cat']
  for (let i = 0; i < 6; i++) {
    await sharp({ create: { width: 320, height: 240, channels: 3, background: { r: 40 * i, g: 120, b: 200 - 30 * i } } }).png().toFile(`${folder}/${i}.png`)
    things.forEach((thing, j) => entries.push({ image: `${i}.png`, caption: `the ${thing} in picture ${i}`, bbox: [[20 + 50 * j, 30 + 20 * j, 70 + 50 * j, 110 + 20 * j]], split: i === 5 ? 'val' : 'train' }))
  }
  await sharp({ create: { width: 320, height: 240, channels: 3, background: { r: 90, g: 90, b: 90 } } }).png().toFile(`${folder}/crowd.png`)
  for (let n = 0; n < CROWD; n++) entries.push({ image: 'crowd.png', caption: `person ${n}`, bbox: [[n % 300, Math.floor(n / 12) % 220, (n % 300) + 12, (Math.floor(n / 12) % 220) + 12]], split: 'train' })
  const path = `${folder}/annotations.json`
  await writeFile(path, JSON.stringify(entries))
  return path
}

describe.skipIf(!chromium)(`many regions in Curate${chromium ? '' : ` (${NO_BROWSER})`}`, () => {
  let story: Story
  let api: EngineClient
  let page: Page
  let image: CanvasDriver
  let stored: ProjectReader
  let rows: Eyes['rows']
  let serious: Eyes['serious']

  beforeAll(async () => {
    story = await openStory('queue', {
      dataset: (folder) => writePictures(`${folder}/pictures`), name: 'pictures',
      prepare: async (stage) => void (await stage.api.system.setAuthor({ author: 'Ann' })),
    })
    ;({ api, page, image, stored } = story)
    ;({ rows, serious } = eyesOn(page))
  })
  afterAll(() => story?.close())

  const row = (index: number): Locator => page.locator(`#queue-row-${index}`)
  const inHand = (): Locator => page.getByTestId('queue').locator('[aria-current="true"]')
  const selected = async (): Promise<string | null> => ((await page.getByTestId('bulk-count').count()) === 0 ? null : page.getByTestId('bulk-count').innerText())
  const menu = async (button: Locator, item: string | RegExp) => {
    await button.click()
    await page.getByRole('menuitem', { name: item }).click()
  }
  const viewMenu = () => page.getByRole('button', { name: /^View / })
  const more = () => page.getByTestId('bulk-bar').getByRole('button', { name: 'More' })
  const both = async (name: string) => {
    await takePicture(page, `${name}-dark-1440`)
    expect(await serious()).toEqual([])
    await page.emulateMedia({ colorScheme: 'light' })
    await takePicture(page, `${name}-light-1440`)
    expect(await serious()).toEqual([])
    await page.emulateMedia({ colorScheme: 'dark' })
  }

  it('selects with Shift and Ctrl, by mouse and by keys, and lets go', async () => {
    await row(1).click()
    await row(4).click({ modifiers: ['Shift'] })
    await expect.poll(selected).toBe('4 selected')
    await row(2).click({ modifiers: ['Control'] })
    await row(6).click({ modifiers: ['Control'] })
    await expect.poll(selected).toBe('4 selected')
    await expect.poll(() => rows().and(page.locator('[aria-selected="true"]')).evaluateAll((all: { id: string }[]) => all.map(({ id }) => id))).toEqual(['queue-row-1', 'queue-row-3', 'queue-row-4', 'queue-row-6'])
    await page.getByTestId('queue').focus()
    await page.keyboard.press('Escape')
    await expect.poll(selected).toBeNull()
    await row(0).click()
    await page.getByTestId('queue').focus()
    await page.keyboard.press('Shift+ArrowDown')
    await page.keyboard.press('Shift+ArrowDown')
    await expect.poll(selected).toBe('3 selected')
    await page.keyboard.press('Control+a')
    await expect.poll(selected).toBe(`${(30 + CROWD).toLocaleString('en-US')} selected`)
    await page.keyboard.press('Escape')
  })

  it('accepts what is selected as one edit, takes it back and makes it again', async () => {
    await row(1).click()
    await row(4).click({ modifiers: ['Shift'] })
    await both('curate-selected')
    await page.getByTestId('bulk-bar').getByRole('button', { name: 'Accept' }).click()
    await expect.poll(() => stored.count("SELECT count(*) FROM regions WHERE status = 'accepted'")).toBe(4)
    await expect.poll(() => row(3).getAttribute('data-status')).toBe('accepted')
    expect(stored.count("SELECT count(*) FROM edits WHERE state = 'done'")).toBe(1)
    await expect.poll(selected).toBeNull()
    await page.keyboard.press('Control+z')
    await expect.poll(() => stored.count("SELECT count(*) FROM regions WHERE status = 'accepted'")).toBe(0)
    await expect.poll(() => row(3).getAttribute('data-status')).toBe('unreviewed')
    await page.keyboard.press('Control+Shift+z')
    await expect.poll(() => stored.count("SELECT count(*) FROM regions WHERE json_extract(review, '$.by') = 'Ann' AND status = 'accepted'")).toBe(4)
  })

  it('offers no redo after an edit of many: it made the earlier ones impossible', async () => {
    const redo = page.getByRole('button', { name: 'Redo', exact: true })
    await page.keyboard.press('Control+z')
    await expect.poll(() => redo.isEnabled()).toBe(true)
    await row(8).click()
    await row(9).click({ modifiers: ['Shift'] })
    await page.getByTestId('bulk-bar').getByRole('button', { name: 'Reject' }).click()
    await expect.poll(() => stored.count("SELECT count(*) FROM regions WHERE status = 'rejected'")).toBe(2)
    await expect.poll(() => redo.isEnabled()).toBe(false)
    await page.keyboard.press('Control+z')
    await expect.poll(() => stored.count("SELECT count(*) FROM regions WHERE status = 'rejected'")).toBe(0)
    await row(1).click()
    await row(4).click({ modifiers: ['Shift'] })
    await page.getByTestId('bulk-bar').getByRole('button', { name: 'Accept' }).click()
    await expect.poll(() => stored.count("SELECT count(*) FROM regions WHERE status = 'accepted'")).toBe(4)
  })

  it('decides the one row that is selected, not the one in hand', async () => {
    await row(1).click()
    await row(9).click({ modifiers: ['Control'] })
    await row(1).click({ modifiers: ['Control'] })
    await expect.poll(selected).toBe('1 selected')
    const [hand, picked] = [await row(1).getAttribute('data-region'), await row(9).getAttribute('data-region')]
    const before = stored.region(hand!)
    await image.press('x')
    await expect.poll(() => stored.region(picked!).status).toBe('rejected')
    await expect.poll(selected).toBeNull()
    expect(stored.region(hand!)).toEqual(before)
    await page.keyboard.press('Control+z')
    await expect.poll(() => stored.region(picked!).status).toBe('unreviewed')
  })

  it('deletes many, but not what is locked, and says so', async () => {
    await row(6).click()
    const locked = (await row(6).getAttribute('data-region'))!
    await image.press('l')
    await page.getByTestId('marks').waitFor()
    await row(5).click()
    await row(7).click({ modifiers: ['Shift'] })
    await menu(more(), 'Delete 3 regions')
    await expect.poll(() => stored.count('SELECT count(*) FROM regions WHERE deleted = 1')).toBe(2)
    await page.getByRole('region', { name: 'News' }).getByText('1 region is locked and stays.').waitFor()
    await takePicture(page, 'curate-delete-locked-dark-1440')
    expect(stored.count('SELECT deleted FROM regions WHERE id = ?', locked)).toBe(0)
    await page.getByRole('region', { name: 'News' }).getByRole('button', { name: 'Undo' }).last().click()
    await expect.poll(() => stored.count('SELECT count(*) FROM regions WHERE deleted = 1')).toBe(0)
    await page.locator(`[data-testid="queue"] [data-region="${locked}"]`).click()
    await image.press('l')
    await page.getByTestId('marks').waitFor({ state: 'detached' })
  })

  it('finds words, keeps the search as a view with a live count, and tags all of it', async () => {
    await page.getByTestId('queue-search').fill('mug')
    await expect.poll(() => viewMenu().innerText()).toMatch(/\b12\b/)
    await menu(viewMenu(), 'Save this view…')
    await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('Mugs')
    await page.getByRole('button', { name: 'Save view' }).click()
    await expect.poll(() => viewMenu().innerText()).toContain('Mugs')
    await menu(viewMenu(), /^Select all of this view/)
    await expect.poll(selected).toBe('12 selected')
    await menu(more(), 'Add a tag…')
    await page.getByRole('dialog').getByRole('textbox', { name: 'Tag' }).fill('crockery')
    await page.getByRole('button', { name: 'Add tag' }).click()
    await expect.poll(() => stored.count("SELECT count(*) FROM regions WHERE tags = '[\"crockery\"]'")).toBe(12)
    await menu(viewMenu(), /^All regions/)
    await page.getByTestId('queue-search').fill('crock')
    await expect.poll(() => rows().count()).toBe(12)
    await page.getByTestId('queue-search').fill('')
    await viewMenu().click()
    await expect.poll(() => page.getByRole('menuitem', { name: /^Mugs/ }).innerText()).toMatch(/12/)
    await page.keyboard.press('Escape')
  })

  it('replaces text after showing every change, and one click takes it back', async () => {
    await menu(viewMenu(), /^Mugs/)
    await expect.poll(() => rows().count()).toBe(12)
    await page.getByTestId('queue').focus()
    await page.keyboard.press('Control+a')
    await menu(more(), 'Replace text…')
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'Find' }).fill('(red|blue) mug (')
    await dialog.getByRole('checkbox', { name: 'Regular expression' }).check()
    await dialog.getByText(/no regular expression/).waitFor()
    await both('curate-replace-fault')
    await dialog.getByRole('textbox', { name: 'Find' }).fill('(red|blue) mug')
    await dialog.getByRole('textbox', { name: 'Replace with' }).fill('$1 cup')
    await dialog.getByRole('button', { name: 'Replace in 12 phrases' }).waitFor()
    await expect.poll(() => page.getByTestId('replace-changes').locator('li').first().innerText()).toMatch(/the red mug in picture 0\s+the red cup in picture 0/)
    await both('curate-replace')
    await dialog.getByRole('button', { name: 'Replace in 12 phrases' }).click()
    await expect.poll(() => stored.count("SELECT count(*) FROM regions WHERE phrase LIKE '% cup %'")).toBe(12)
    await page.getByRole('region', { name: 'News' }).getByRole('button', { name: 'Undo' }).last().click()
    await expect.poll(() => stored.count("SELECT count(*) FROM regions WHERE phrase LIKE '% mug %'")).toBe(12)
    await expect.poll(() => row(0).innerText()).toContain('mug')
  })

  it('puts back an earlier state from the history, as a new edit', async () => {
    await row(0).click()
    const id = (await inHand().getAttribute('data-region'))!
    const before = stored.region(id)
    await page.getByTestId('phrase-editor').fill('something else')
    await page.getByTestId('phrase-editor').press('Enter')
    await expect.poll(() => stored.region(id).phrase).toBe('something else')
    await page.getByRole('button', { name: 'Restore revision 1', exact: true }).click()
    await expect.poll(() => stored.region(id).phrase).toBe(before.phrase)
    expect(stored.region(id).revision).toBe(before.revision + 2)
    await page.keyboard.press('Control+z')
    await expect.poll(() => stored.region(id).phrase).toBe('something else')
    await page.keyboard.press('Control+z')
    await expect.poll(() => stored.region(id).phrase).toBe(before.phrase)
  })

  it('keeps a second person’s decisions beside the first, by the same keys, and lists where they differ', async () => {
    await api.system.setAuthor({ author: 'Bo' })
    await menu(viewMenu(), /^All regions/)
    await menu(viewMenu(), 'Second review')
    await expect.poll(() => rows().count()).toBeGreaterThan(3)
    await row(1).click()
    await image.press('x')
    await expect.poll(() => stored.count("SELECT count(*) FROM regions WHERE json_extract(second, '$.by') = 'Bo'")).toBe(1)
    await image.press('a')
    await expect.poll(() => stored.count("SELECT count(*) FROM regions WHERE json_extract(second, '$.by') = 'Bo'")).toBe(2)
    expect(stored.count("SELECT count(*) FROM regions WHERE status = 'accepted' AND json_extract(review, '$.by') = 'Ann'")).toBe(4)
    await row(1).click()
    await page.getByTestId('second-review').filter({ hasText: 'rejected by Bo' }).waitFor()
    await menu(viewMenu(), 'Progress and agreement…')
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('cell', { name: 'Ann' }).waitFor()
    await both('curate-progress')
    await dialog.getByRole('button', { name: 'Agreement' }).click()
    await dialog.getByText('Bo: rejected').waitFor()
    await both('curate-agreement')
    await dialog.getByRole('button', { name: 'Close' }).click()
    await page.getByRole('button', { name: 'End', exact: true }).click()
  })

  it('filters by what there is, in a panel that fits', async () => {
    await page.getByRole('button', { name: 'Filter', exact: true }).click()
    const panel = page.getByRole('group', { name: 'Filter', exact: true })
    await panel.getByText('crockery').click()
    await panel.getByRole('button', { name: 'Open', exact: true }).click()
    await expect.poll(() => viewMenu().innerText()).toMatch(/\b11\b/)
    await both('curate-filters')
    await panel.getByRole('button', { name: 'Clear filters' }).click()
    await panel.getByRole('button', { name: 'Done' }).click()
  })

  it('goes to the end of a long list, and an image with thousands of phrases shows the first of them', async () => {
    await page.getByTestId('queue').focus()
    await page.keyboard.press('End')
    await expect.poll(() => inHand().innerText()).toContain(`person ${CROWD - 1}`)
    const others = page.getByRole('list', { name: 'Other phrases of this image' }).getByRole('listitem')
    await expect.poll(() => others.count()).toBeGreaterThan(10)
    await expect.poll(() => others.count()).toBeLessThan(100)
    // The same queue in the order of now, while one is far down in it: the rows there are shown without a scroll.
    const there = await inHand().getAttribute('id')
    await row(CROWD + 20).click()
    await row(CROWD + 22).click({ modifiers: ['Shift'] })
    await menu(more(), 'Delete 3 regions')
    await expect.poll(() => stored.count('SELECT count(*) FROM regions WHERE deleted = 1')).toBe(3)
    await expect.poll(() => rows().first().getAttribute('aria-setsize')).toBe(String(CROWD + 27))
    await expect.poll(() => rows().evaluateAll((all: { getAttribute(name: string): string | null }[]) => all.filter((one) => one.getAttribute('data-region') === null).length)).toBe(0)
    expect(Number(there!.slice('queue-row-'.length))).toBeGreaterThan(CROWD)
    await page.getByTestId('queue').focus()
    await page.keyboard.press('Control+z')
    await expect.poll(() => stored.count('SELECT count(*) FROM regions WHERE deleted = 1')).toBe(0)
    await page.keyboard.press('Home')
    await expect.poll(() => inHand().innerText()).toContain('red mug in picture 0')
  })

  it('wrote no error to the console all along', () => {
    expect(story.open.faults).toEqual([])
  })
})
