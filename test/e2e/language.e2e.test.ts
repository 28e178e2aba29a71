/** The page in Simplified Chinese: chosen in the settings, kept, complete on every screen, and no less readable than English. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findChromium, NO_BROWSER, type OpenPage, openPage } from './browser.ts'
import { callEngine } from './call.ts'
import { canvasDriver } from './canvas-driver.ts'
import { makeSmallDemo, type ServedEngine, serve, temporaryFolder } from './engine.ts'
import { latinOn } from './latin.ts'
import { readProject } from './project-reader.ts'
import { findingsOf, outside, SCREENS, type Screen, showScreen, takePicture } from './screens.ts'

const chromium = findChromium()
if (!chromium) console.warn(NO_BROWSER)

/** Edits on their way to the engine take this long in the test of a change with an edit under way. */
const SLOW_MS = 1_500

describe.skipIf(!chromium)(`the page in Chinese${chromium ? '' : ` (${NO_BROWSER})`}`, () => {
  let folder: { path: string; remove: () => Promise<void> }
  let engine: ServedEngine
  let compareQuery = ''
  /** What people and files hold: it is the same in every language. */
  let data: readonly string[] = []

  beforeAll(async () => {
    folder = await temporaryFolder('language')
    engine = await serve(`${folder.path}/project`)
    const api = callEngine(engine)
    await api.ended((await api.datasets.import({ path: await makeSmallDemo(`${folder.path}/small-demo`), name: 'small demo' })).id)
    const [dataset] = await api.datasets.list({})
    const checkpoints = await api.checkpoints.list({})
    for (const { id } of checkpoints.slice(0, 2)) await api.ended((await api.scores.compute({ datasetId: dataset!.id, checkpointId: id, splits: ['val'] })).id)
    compareQuery = `dataset=${dataset!.id}&a=${checkpoints[1]?.id ?? ''}&b=${checkpoints[0]?.id ?? ''}&split=val`
    const run = await api.runs.start({ preset: 'demo-amc', overrides: { steps: 12 }, datasetId: dataset!.id, name: 'a short run' })
    await api.runEnded(run.id)
    data = await written(api)
    api.close()
  })
  afterAll(async () => {
    await engine?.close()
    await folder?.remove()
  })

  async function written(api: ReturnType<typeof callEngine>): Promise<readonly string[]> {
    const project = readProject(engine.projectDir)
    const texts = (sql: string) => project.rows(sql).flatMap((row) => Object.values(row)).filter((value): value is string => typeof value === 'string')
    const [info, doctor, checkpoints] = [await api.system.info({}), await api.system.doctor({}), await api.checkpoints.list({})]
    const names = [
      ...texts('SELECT name FROM datasets'), ...texts('SELECT DISTINCT phrase FROM regions'), ...texts('SELECT name FROM views'), ...texts('SELECT name FROM runs'),
      ...checkpoints.flatMap((one) => [one.name, one.modelName, ...Object.keys(one.metrics)]),
      // Names of hardware and libraries; why there is no card is written by the set-up.
      info.backend.message, ...doctor.lines.flatMap(({ value }) => [value, ...value.split(': ').slice(1)]),
    ]
    project.close()
    return names
  }

  const choose = (page: Page, name: string) => page.locator('section').getByRole('button', { name, exact: true }).click()

  describe('the choice', () => {
    let open: OpenPage
    let isSlow = false
    beforeAll(async () => {
      open = await openPage(engine, {
        prepare: (page) => page.routeWebSocket(/\/rpc$/, (socket) => {
          const server = socket.connectToServer()
          socket.onMessage((message) => (isSlow ? void setTimeout(() => server.send(message), SLOW_MS) : server.send(message)))
        }),
      })
    })
    afterAll(() => open?.close())

    it('waits for an edit under way, changes every text, and outlives a reload', async () => {
      const { page } = open
      await showScreen(page, 'curate')
      await canvasDriver(page, 'image').ready()
      expect(await page.locator('html').getAttribute('lang')).toBe('en')
      const project = readProject(engine.projectDir)
      const accepted = () => project.count("SELECT count(*) FROM regions WHERE status = 'accepted'")
      const before = accepted()
      await page.locator('[data-canvas="image"]').focus()
      isSlow = true
      await page.keyboard.press('a')
      await page.evaluate("location.hash = '#/settings'")
      await page.getByRole('heading', { name: 'Appearance' }).waitFor()
      await choose(page, '简体中文')
      await page.getByRole('heading', { name: '外观' }).waitFor()
      expect(accepted(), 'the edit that was under way').toBe(before + 1)
      project.close()
      isSlow = false
      expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN')
      expect(await page.getByRole('navigation', { name: '界面' }).getByRole('link').allInnerTexts()).toEqual(['资料库', '校订', '训练', '检查点', '比较'])
      await page.reload()
      await page.getByRole('heading', { name: '外观' }).waitFor()
      expect(open.faults).toEqual([])
    })

    it('goes back to English the same way', async () => {
      const { page } = open
      await choose(page, 'English')
      await page.getByRole('heading', { name: 'Appearance' }).waitFor()
      expect(await page.locator('html').getAttribute('lang')).toBe('en')
    })
  })

  for (const [theme, width, height] of [['dark', 1440, 900], ['light', 1024, 700]] as const) {
    describe(`a browser that speaks Chinese, ${theme}, ${width} x ${height}`, () => {
      let open: OpenPage
      beforeAll(async () => void (open = await openPage(engine, { theme, width, height, locale: 'zh-CN' })))
      afterAll(() => open?.close())

      it.each(SCREENS)('%s', async (screen: Screen) => {
        const { page } = open
        await showScreen(page, screen, screen === 'compare' ? compareQuery : '')
        if (screen === 'curate') await canvasDriver(page, 'image').ready()
        await takePicture(page, `zh-${screen}-${theme}-${width}`)
        expect(await latinOn(page, data)).toEqual([])
        expect(await outside(page), 'parts that stick out of the window').toEqual([])
        expect(await findingsOf(page)).toEqual([])
        expect(open.faults).toEqual([])
      })

      it('palette, shortcuts and the project’s menu', async () => {
        const { page } = open
        await showScreen(page, 'curate')
        for (const [key, name] of [['?', 'shortcuts'], ['Control+k', 'palette']] as const) {
          await page.locator('body').press(key)
          await page.getByRole('dialog').waitFor()
          await takePicture(page, `zh-${name}-${theme}-${width}`)
          expect(await latinOn(page, data), name).toEqual([])
          await page.keyboard.press('Escape')
          await page.getByRole('dialog').waitFor({ state: 'detached' })
        }
        await page.getByRole('banner').getByRole('button').first().click()
        await page.getByRole('menu').waitFor()
        expect(await latinOn(page, data), 'menu').toEqual([])
        await page.keyboard.press('Escape')
      })

      it('dialogs of the library', async () => {
        const { page } = open
        await showScreen(page, 'library')
        const entry = async (name: string) => {
          await page.getByTestId('dataset-row').getByRole('button', { name: 'small demo 的操作' }).click()
          await page.getByRole('menuitem', { name }).click()
          await page.getByRole('dialog').waitFor()
        }
        for (const [name, done] of [['导出', '格式'], ['从来源更新', '来源没有变化'], ['从项目中移除', '移除数据集']] as const) {
          await entry(name)
          await page.getByRole('dialog').getByText(done).first().waitFor()
          await takePicture(page, `zh-library-${name}-${theme}-${width}`)
          expect(await latinOn(page, data), name).toEqual([])
          await page.keyboard.press('Escape')
          await page.getByRole('dialog').waitFor({ state: 'detached' })
        }
        await page.locator('body').press('i')
        await page.getByRole('textbox', { name: '文件夹或标注文件' }).fill(`${folder.path}/small-demo`)
        await page.keyboard.press('Enter')
        await page.getByText('将导入的内容').waitFor()
        await takePicture(page, `zh-library-import-${theme}-${width}`)
        // Names of fields and what they become are the format's own.
        const fields = await page.locator('[data-fields] span[title]').evaluateAll((all) => all.map((one) => (one as unknown as { title: string }).title))
        expect(await latinOn(page, [...data, ...fields])).toEqual([])
        expect(await outside(page)).toEqual([])
        await page.keyboard.press('Escape')
      })

      it('forms of checkpoints', async () => {
        const { page } = open
        await showScreen(page, 'checkpoints')
        await page.getByRole('button', { name: '重命名' }).click()
        await page.getByRole('dialog').waitFor()
        expect(await latinOn(page, data)).toEqual([])
        await page.keyboard.press('Escape')
        await page.getByRole('dialog').waitFor({ state: 'detached' })
        await page.locator('body').press('i')
        await page.getByRole('textbox', { name: '文件' }).waitFor()
        expect(await latinOn(page, data)).toEqual([])
      })
    })
  }

  it('the tour', async () => {
    const open = await openPage(engine, { locale: 'zh-CN', newcomer: true, theme: 'light' })
    const card = open.page.getByTestId('tour')
    await card.waitFor()
    for (let at = 1; at <= 6; at++) {
      await card.getByText(`${at}/6`).waitFor()
      expect(await latinOn(open.page, [...data, 'Ctrl Z'])).toEqual([])
      await card.getByRole('button', { name: at === 6 ? '完成' : '下一步' }).click()
    }
    await card.waitFor({ state: 'detached' })
    await open.close()
  })
})
