/** The desktop shell: a shorter story in a real Electron, what the window refuses, and what happens when a part is killed. */
import { execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Locator } from 'playwright-core'
import { callEngine } from './call.ts'
import { type CanvasDriver, canvasDriver } from './canvas-driver.ts'
import { findDisplay, findElectron, type RunningShell, startShell } from './electron-app.ts'
import { builtCli, makeSmallDemo, ROOT, temporaryFolder } from './engine.ts'
import { type ProjectReader, readProject } from './project-reader.ts'
import { takePicture } from './screens.ts'

const electron = findElectron()
const display = electron ? await findDisplay() : null
const reason = !electron ? 'skipped: no Electron is installed here (set ELECTRON_OVERRIDE_DIST_PATH to name one)' : !display ? 'skipped: there is no display and no Xvfb' : ''
if (reason) console.warn(reason)

describe.skipIf(reason !== '')(`the desktop shell${reason ? ` (${reason})` : ''}`, () => {
  let folder: { path: string; remove: () => Promise<void> }
  let projectDir: string
  let settingsDir: string
  let shell: RunningShell
  let image: CanvasDriver
  let stored: ProjectReader

  beforeAll(async () => {
    folder = await temporaryFolder('electron')
    projectDir = `${folder.path}/project`
    settingsDir = `${folder.path}/settings`
    await amc('import', await makeSmallDemo(`${folder.path}/small-demo`), '--project', projectDir, '--name', 'small demo')
    stored = readProject(projectDir)
    await start()
  })
  afterAll(async () => {
    await shell?.app.close().catch(() => undefined)
    stored?.close()
    display!.close()
    await folder?.remove()
  })

  async function start(): Promise<void> {
    shell = await startShell(electron!, display!, projectDir, settingsDir)
    image = canvasDriver(shell.page, 'image')
  }
  /** The same project opened once more; it ends by itself. */
  async function startSecond(): Promise<{ code: unknown; words: string }> {
    const env = { ...process.env, DISPLAY: display!.name, AMC_NODE: process.execPath, XDG_CONFIG_HOME: settingsDir }
    const second = spawn(electron!.path, ['--no-sandbox', '--disable-gpu', ROOT, '--project', projectDir], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    let words = ''
    second.stderr.setEncoding('utf8').on('data', (text: string) => (words += text))
    return { code: await new Promise((resolve) => second.once('close', resolve)), words }
  }
  const currentRow = (): Locator => shell.page.getByTestId('queue').locator('[role="option"][aria-selected="true"]')
  const regionId = async (): Promise<string> => (await currentRow().getAttribute('data-region'))!
  const enginePid = () => readHolder(projectDir).pid

  it('opens its window with the project, and the page gets no Node', async () => {
    await shell.page.getByRole('navigation', { name: 'Screens' }).waitFor()
    await shell.page.getByText('small demo').first().waitFor()
    expect(await shell.page.evaluate('[typeof require, typeof process, typeof module, Object.keys(window.amcShell).sort()]')).toEqual([
      'undefined', 'undefined', 'undefined', ['chooseFile', 'chooseFolder', 'pathOfDropped', 'platform'],
    ])
  })

  it('goes nowhere else, opens no window, and asks for nothing', async () => {
    const address = shell.page.url()
    await shell.page.evaluate(`setTimeout(() => { location.href = 'https://example.com/' })`)
    // In the old Electron the driver itself hangs on a refused window.
    if (electron!.major >= 12) await shell.page.evaluate(`setTimeout(() => { window.open('https://example.com/') }, 50)`)
    await shell.page.waitForTimeout(1500)
    expect(shell.page.url()).toBe(address)
    expect(shell.app.windows()).toHaveLength(1)
    expect(await shell.page.evaluate('Notification.requestPermission()')).toBe('denied')
    expect(await shell.page.evaluate('new Promise((done) => navigator.geolocation.getCurrentPosition(() => done(0), (error) => done(error.code)))'), 'permission denied').toBe(1)
  })

  it('shows image, boxes and heat; a dragged box moves the score and is on disk', async () => {
    const { page } = shell
    await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Curate' }).click()
    await image.ready()
    await page.locator('[data-heat]').first().waitFor()
    await page.getByTestId('score-now').waitFor()
    await takePicture(page, 'electron-curate')
    const id = await regionId()
    const box = stored.region(id).boxes[0]!
    const before = await page.getByTestId('score-mean-margin').innerText()
    const shown = new Set<string>()
    await image.select(box)
    await image.dragBox(box, box[0] > 40 ? -30 : 30, 0, async () => void shown.add(await page.getByTestId('score-mean-margin').innerText()))
    await expect.poll(() => stored.region(id).boxes[0]).not.toEqual(box)
    expect([...shown].some((text) => text !== before)).toBe(true)
    await image.press('Control+z')
    await expect.poll(() => stored.region(id).boxes[0]).toEqual(box)
    await image.press('a')
    await expect.poll(() => stored.region(id).status).toBe('accepted')
  })

  it('starts the engine again when it is killed, without reloading the page', async () => {
    const { page } = shell
    const loaded = await page.evaluate('performance.timeOrigin')
    const id = await regionId()
    const before = enginePid()
    process.kill(before, 'SIGKILL')
    await expect.poll(() => enginePid() !== before && readHolder(projectDir).url !== null, { timeout: 30_000 }).toBe(true)
    await image.press('x')
    await expect.poll(() => stored.region(id).status, { timeout: 30_000 }).toBe('rejected')
    expect(await page.evaluate('performance.timeOrigin')).toBe(loaded)
  })

  it('gives way to the window that has the project already, and says so', async () => {
    expect(await startSecond()).toEqual({ code: 0, words: expect.stringMatching(/is open already; its window is brought to the front/) })
    expect(shell.app.windows()).toHaveLength(1)
    const refused = await amc('import', projectDir, '--project', projectDir).then(() => '', (error: Error) => error.message)
    expect(refused).toMatch(/already open/)
  })

  it('asks before it closes while a run trains: that goes on without a window, a second start shows it again, and after the last run it ends', async () => {
    const engine = enginePid()
    const { value: token } = (await shell.app.evaluate(({ session }) => session.defaultSession.cookies.get({}))).find(({ name }) => /^amc_\d+$/.test(name))!
    const api = callEngine({ url: readHolder(projectDir).url!.replace(/\/$/, ''), token })
    const { id } = await api.runs.start({
      preset: 'demo-amc', overrides: { steps: 5000, 'batch.images': 4, 'validation.every': 0, 'validation.images': 2 }, datasetId: (await api.datasets.list({}))[0]!.id, name: 'Long one',
    })
    await expect.poll(async () => (await api.runs.get({ id })).step, { timeout: 240_000 }).toBeGreaterThan(0)
    // Nothing can press a button of the system's own dialog: the answer takes its place.
    const close = (answer: number) =>
      shell.app.evaluate(({ BrowserWindow, dialog }, response) => {
        const asked: string[] = []
        dialog.showMessageBox = ((_window: unknown, options: { message: string }) => (asked.push(options.message), Promise.resolve({ response, checkboxChecked: false }))) as never
        BrowserWindow.getAllWindows()[0]!.close()
        return asked
      }, answer)
    const isVisible = () => shell.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().map((window) => window.isVisible()))
    expect(await close(2)).toEqual(['Long one is training.'])
    expect(await isVisible()).toEqual([true])
    expect(await close(0)).toEqual(['Long one is training.'])
    await expect.poll(isVisible).toEqual([false])
    expect(await startSecond()).toMatchObject({ code: 0 })
    await expect.poll(isVisible).toEqual([true])
    await close(0)
    await expect.poll(isVisible).toEqual([false])
    const process = shell.app.process()
    const ended = new Promise((resolve) => process.once('exit', resolve))
    await api.runs.stop({ id })
    expect(await ended).toBe(0)
    api.close()
    await expect.poll(() => isAlive(engine), { timeout: 60_000 }).toBe(false)
    expect(stored.count("SELECT count(*) FROM runs WHERE state = 'stopped'")).toBe(1)
    await start()
    await shell.page.getByRole('navigation', { name: 'Screens' }).waitFor()
  })

  it('killed itself, it leaves no engine behind, and opens again with everything that was done', async () => {
    const pid = enginePid()
    const accepted = stored.count("SELECT count(*) FROM regions WHERE status = 'accepted'")
    shell.app.process().kill('SIGKILL')
    await expect.poll(() => isAlive(pid), { timeout: 30_000 }).toBe(false)
    await start()
    await shell.page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Curate' }).click()
    await image.ready()
    expect(stored.count("SELECT count(*) FROM regions WHERE status = 'accepted'")).toBe(accepted)
    expect(accepted).toBe(1)
  })

  it('closes window and engine together', async () => {
    const pid = enginePid()
    await shell.app.close()
    await expect.poll(() => isAlive(pid), { timeout: 30_000 }).toBe(false)
    expect(existsSync(join(projectDir, 'cache', 'engine.json'))).toBe(false)
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Who holds the project, as the engine itself tells others. */
function readHolder(projectDir: string): { pid: number; url: string | null } {
  try {
    return JSON.parse(readFileSync(join(projectDir, 'cache', 'engine.json'), 'utf8')) as { pid: number; url: string | null }
  } catch {
    return { pid: 0, url: null }
  }
}

function amc(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [builtCli(), ...args], (error, out, err) => (error ? reject(new Error(err)) : resolve(out)))
  })
}
