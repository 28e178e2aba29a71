/** What Compare saves, made through the page and read back: reports, rows, and every chart as SVG and PNG. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Download, type Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Comparison } from '../../src/shared/contract/compare.ts'
import { type ComparedProject, makeComparedProject } from '../support/compared-project.ts'
import { parseCsv } from '../support/csv.ts'
import { writeResultFile } from '../support/evaluation-results.ts'
import { reportNumbers } from '../support/report-numbers.ts'
import { findChromium, NO_BROWSER, openPage, type OpenPage } from './browser.ts'
import { callEngine, type EngineClient } from './call.ts'
import { makeSmallDemo, ROOT, serve, type ServedEngine, temporaryFolder } from './engine.ts'
import { readProject } from './project-reader.ts'
import { showScreen, takePicture } from './screens.ts'

const digits = (text: string): string => text.replace(/[^\d.+−-]/g, '').replace('−', '-')

describe.skipIf(!findChromium())(`what Compare saves${findChromium() ? '' : ` (${NO_BROWSER})`}`, () => {
  let folder: { path: string; remove: () => Promise<void> }
  let project: ComparedProject
  let engine: ServedEngine
  let client: EngineClient
  let open: OpenPage

  beforeAll(async () => {
    folder = await temporaryFolder('report')
    project = await makeComparedProject(join(folder.path, 'project'), await makeSmallDemo(join(folder.path, 'demo')))
    const evaluation = join(folder.path, 'project', 'evaluation')
    await mkdir(evaluation)
    await writeResultFile(evaluation, 'before', Array.from({ length: 120 }, (_, i) => Number(i % 3 === 0)))
    await writeResultFile(evaluation, 'after', Array.from({ length: 120 }, (_, i) => Number(i % 2 === 0)))
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

  const query = (count: number, more = '') => `dataset=${project.datasetId}&${(['a', 'b', 'c', 'd'] as const).slice(0, count).map((side, i) => `${side}=${project.checkpointIds[i + 5 - count]!}`).join('&')}&split=val${more}`
  const saved = async (press: () => Promise<void>): Promise<{ name: string; path: string }> => {
    const [download] = await Promise.all([open.page.waitForEvent('download', { timeout: 60_000 }), press()])
    return keep(download)
  }
  const keep = async (download: Download): Promise<{ name: string; path: string }> => {
    const path = join(folder.path, 'saved', download.suggestedFilename())
    await download.saveAs(path)
    return { name: download.suggestedFilename(), path }
  }
  const button = (name: string) => open.page.getByRole('dialog').getByRole('button', { name, exact: true })
  /** The numbers the screen has of the pair. */
  const onScreen = async () => ({
    matrix: Object.fromEntries(await Promise.all((['both', 'broken', 'fixed', 'neither'] as const).map(async (cell) => [cell, Number(digits(await open.page.getByTestId(`compare-cell-${cell}`).innerText()))] as const))),
    pointing: (await open.page.getByTestId('headline-pointingGame').locator('dd').innerText()).replaceAll('−', '-'),
  })

  it('a report of two checkpoints: its numbers are those of the screen, of the engine and of the database', async () => {
    await showScreen(open.page, 'compare', query(2))
    await open.page.getByTestId('headline-pointingGame').waitFor()
    const screen = await onScreen()
    await open.page.getByRole('button', { name: 'Report', exact: true }).click()
    await takePicture(open.page, 'report-panel-dark-1440')
    const report = await saved(() => button('Report as HTML').click())
    expect(report.name).toBe('Run 2 · step 300 · Run 2 · step 600 on Demo scenes, val.html')
    const html = await readFile(report.path, 'utf8')
    const [pair] = reportNumbers(html).pairs
    expect(pair!.matrix).toEqual(screen.matrix)
    const [a, b, change, interval] = pair!.measures['Pointing game, %']!
    for (const number of [a, b, change, ...interval.match(/[+-]?[\d.]+/g)!]) expect(screen.pointing).toContain(number)
    const reader = readProject(engine.projectDir)
    const hits = (k: number) => reader.count("SELECT sum(s.pointing_hit) FROM scores s JOIN regions r ON r.id = s.region_id WHERE s.checkpoint_id = ? AND r.split = 'val'", project.checkpointIds[k]!)
    const total = reader.count("SELECT count(*) FROM scores s JOIN regions r ON r.id = s.region_id WHERE s.checkpoint_id = ? AND r.split = 'val'", project.checkpointIds[3]!)
    expect([a, b]).toEqual([3, 4].map((k) => ((100 * hits(k)) / total).toFixed(2)))
    reader.close()

    const csv = await saved(() => button('Rows as CSV').click())
    const [head, ...lines] = parseCsv(await readFile(csv.path, 'utf8')) as [string[], ...string[][]]
    const cell = (hitA: string, hitB: string) => lines.filter((line) => line[head.indexOf('a_pointing_hit')] === hitA && line[head.indexOf('b_pointing_hit')] === hitB).length
    expect({ both: cell('1', '1'), broken: cell('1', '0'), fixed: cell('0', '1'), neither: cell('0', '0') }).toEqual(screen.matrix)
    const asked: Comparison = await client.compare.get({ population: { datasetId: project.datasetId, split: 'val' }, checkpointIds: project.checkpointIds.slice(3) })
    expect(lines.map((line) => [line[0], Number(line[head.indexOf('b_consistency')])])).toEqual(asked.rows.map((row) => [row.regionId, row.scores[1]!.insideEnergy]))
  })

  it('the report opens from the disk alone, whole, in both themes and on paper', async () => {
    await showScreen(open.page, 'compare', query(4, '&panel=report'))
    const report = await saved(() => button('Report as HTML').click())
    const browser: Browser = await chromium.launch({ executablePath: findChromium()!, args: ['--no-sandbox', '--disable-gpu', '--force-device-scale-factor=1'], headless: true })
    try {
      for (const [theme, width] of [['dark', 1100], ['light', 1100], ['light', 420]] as const) {
        const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: theme, offline: true })
        const page = await context.newPage()
        const [asked, faults]: [string[], string[]] = [[], []]
        page.on('request', (request) => void (request.url().startsWith('data:') ? undefined : asked.push(request.url())))
        page.on('console', (message) => void (message.type() === 'error' || message.type() === 'warning' ? faults.push(message.text()) : undefined))
        page.on('pageerror', (error) => void faults.push(error.message))
        const address = pathToFileURL(report.path).href
        await page.goto(address)
        expect(asked).toEqual([address])
        expect(faults).toEqual([])
        // Every picture is there, nothing is wider than the window, no two elements share an id.
        expect(await page.evaluate('[...document.images].every((image) => image.complete && image.naturalWidth > 20)')).toBe(true)
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
        expect(await page.evaluate('[...document.querySelectorAll("[id]")].length === new Set([...document.querySelectorAll("[id]")].map((one) => one.id)).size')).toBe(true)
        expect(await page.locator('svg').count()).toBe(1 + 3 + 6 * 3)
        expect(await page.locator('section.pair').count()).toBe(6)
        await picture(page, `report-${theme}-${width}`)
        if (width === 1100 && theme === 'light') {
          await page.emulateMedia({ media: 'print' })
          await picture(page, 'report-print')
        }
        await context.close()
      }
    } finally {
      await browser.close()
    }
  })

  it('result files: a report and rows without pictures, with what the files left out', async () => {
    await showScreen(open.page, 'compare', 'r1=before.json&r2=after.json&cell=all')
    await open.page.getByTestId('headline-pointingGame').waitFor()
    const screen = await onScreen()
    expect(screen.matrix).toEqual({ both: 20, broken: 20, fixed: 40, neither: 40 })
    await open.page.getByRole('button', { name: 'Report', exact: true }).click()
    await button('Report as HTML').waitFor()
    expect(await open.page.getByText('Pictures of what was fixed and broken').count()).toBe(0)
    const report = await saved(() => button('Report as HTML').click())
    const html = await readFile(report.path, 'utf8')
    expect(reportNumbers(html).pairs[0]!.matrix).toEqual(screen.matrix)
    expect(html).not.toContain('<img')
    expect(html).toContain('before: 1 phrases had no heatmap')
    const csv = await saved(() => button('Rows as CSV').click())
    expect(parseCsv(await readFile(csv.path, 'utf8'))).toHaveLength(121)
  })

  it('every chart of the screen is saved as SVG that is one and says what it shows, and as PNG large enough for print', async () => {
    const { page } = open
    for (const [panel, count, charts] of [['report', 2, 2], ['slices', 4, 2], ['trust', 2, 3]] as const) {
      await showScreen(page, 'compare', query(count, `&panel=${panel}`))
      const figures = page.getByTestId('figure')
      await expect.poll(() => figures.count()).toBe(charts)
      for (let i = 0; i < charts; i++) {
        const figure = figures.nth(i)
        const caption = await figure.locator('figcaption').innerText()
        const svg = await saved(() => figure.getByRole('button', { name: 'SVG' }).click())
        const text = await readFile(svg.path, 'utf8')
        const read = JSON.parse(await page.evaluate<string>(`(() => {
          const root = new DOMParser().parseFromString(${JSON.stringify(text)}, 'image/svg+xml').documentElement
          const child = (tag) => root.querySelector(':scope > ' + tag)?.textContent ?? ''
          return JSON.stringify({ root: root.tagName, width: Number(root.getAttribute('width')), height: Number(root.getAttribute('height')), title: child('title'), desc: child('desc'), drawn: root.querySelectorAll('path, rect, circle, line').length, bad: root.querySelectorAll('parsererror, script, image, style').length, named: root.getAttribute('aria-labelledby').split(' ').every((id) => root.querySelector('[id="' + id + '"]')) })
        })()`)) as { root: string; width: number; height: number; title: string; desc: string; drawn: number; bad: number; named: boolean }
        expect(read).toMatchObject({ root: 'svg', bad: 0, named: true, desc: caption })
        expect(read.title).not.toBe('')
        expect(read.drawn).toBeGreaterThan(5)
        expect(text).not.toMatch(/var\(--|NaN|Infinity|undefined/)
        expect(caption).toMatch(/(n = \d+ phrases of \d+ images|\d+ of \d+ regions drawn with seed 1)/)
        const png = await saved(() => figure.getByRole('button', { name: 'PNG' }).click())
        const { width, height, format } = await sharp(png.path).metadata()
        expect([format, width, height]).toEqual(['png', Math.round(read.width * 3), Math.round(read.height * 3)])
        const { channels } = await sharp(png.path).stats()
        expect(channels.slice(0, 3).every(({ min, max, mean }) => max === 255 && min < 160 && mean > 200)).toBe(true) // dark on white
        await mkdir(join(ROOT, 'test-results', 'charts'), { recursive: true })
        await writeFile(join(ROOT, 'test-results', 'charts', `${panel}-${i}.png`), await readFile(png.path))
      }
    }
  })

  it('wrote no error to the console all along', () => expect(open.faults).toEqual([]))
})

async function picture(page: Page, name: string): Promise<void> {
  const path = join(ROOT, 'test-results', 'screens')
  await mkdir(path, { recursive: true })
  await page.screenshot({ path: join(path, `${name}.png`), fullPage: true })
}
