/** The Train screen with real runs: a queue put in order, a pause, a duplicate with changes, a film, overlays, alerts; pictures of every state in both themes. */
import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Locator, Page } from 'playwright-core'
import { findChromium, NO_BROWSER, type OpenPage, openPage } from './browser.ts'
import { callEngine, type EngineClient } from './call.ts'
import { makeSmallDemo, type ServedEngine, serve, temporaryFolder } from './engine.ts'
import { showScreen, takePicture } from './screens.ts'

const SMALL = { 'batch.images': 4, 'batch.phrases': 1, 'validation.images': 6, 'validation.probes': 3, 'validation.every': 4, 'save.every': 4 }
/** A model on a busy machine takes its time. */
const WAIT = { timeout: 400_000 }

const chromium = findChromium()
if (!chromium) console.warn(NO_BROWSER)

vi.setConfig({ testTimeout: 900_000 })

describe.skipIf(!chromium)(`the Train screen${chromium ? '' : ` (${NO_BROWSER})`}`, () => {
  let folder: { path: string; remove: () => Promise<void> }
  let engine: ServedEngine
  let open: OpenPage
  let page: Page
  let api: EngineClient
  let datasetId = ''

  beforeAll(async () => {
    folder = await temporaryFolder('train')
    engine = await serve(`${folder.path}/project`)
    api = callEngine(engine)
    const job = await api.datasets.import({ path: await makeSmallDemo(`${folder.path}/small-demo`), name: 'small demo' })
    await api.ended(job.id)
    datasetId = (await api.datasets.list({}))[0]!.id
    open = await openPage(engine)
    page = open.page
  })
  afterAll(async () => {
    api?.close()
    await open?.close()
    await engine?.close()
    await folder?.remove()
  })

  /** The screen as it is now, in both themes and at both sizes. */
  async function pictures(name: string): Promise<void> {
    for (const theme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme: theme })
      for (const [width, height] of [[1440, 900], [1024, 700]] as const) {
        await page.setViewportSize({ width, height })
        await page.waitForTimeout(250)
        await takePicture(page, `train-${name}-${theme}-${width}`)
      }
    }
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width: 1440, height: 900 })
  }
  const field = (name: RegExp): Locator => page.getByRole('textbox', { name })
  const addRun = async (name: string, steps: number): Promise<void> => {
    await field(/^Steps/).fill(String(steps))
    await field(/^Name/).first().fill(name)
    await page.getByRole('button', { name: /Add to queue/ }).click()
    await expect.poll(async () => (await api.runs.list({})).some((run) => run.name === name), WAIT).toBe(true)
  }
  const runNamed = async (name: string) => (await api.runs.list({})).find((run) => run.name === name)!
  const stateOf = (name: string) => expect.poll(async () => (await runNamed(name)).state, WAIT)
  const queue = (): Promise<string[]> => page.getByRole('list', { name: 'Queue' }).getByTestId('run-row').evaluateAll((rows: { innerText: string }[]) => rows.map((row) => row.innerText.replace(/\s+/g, ' ').trim()))

  it('begins empty, and says what to do', async () => {
    await showScreen(page, 'train')
    await page.getByText('No runs yet').waitFor()
    await pictures('empty')
  })

  it('shows the queue in order, and lets it be put in another by buttons and by keys', async () => {
    const run = await api.runs.start({ preset: 'demo-amc', overrides: { ...SMALL, steps: 4000 }, datasetId, name: 'long' })
    await page.getByRole('progressbar', { name: `Progress of run ${run.number}` }).waitFor()
    await addRun('second', 40)
    await addRun('third', 41)
    await api.runs.start({ preset: 'demo-amc', overrides: { ...SMALL, steps: 5, 'earlyStop.metric': 'consistency', 'earlyStop.patience': 3 }, datasetId, name: 'fourth' })
    await expect.poll(async () => (await queue()).length).toBe(4)
    await stateOf('long').toBe('training')
    expect((await queue()).map((row) => row.split(' · ')[0])).toEqual(['Run 1', 'Run 2', 'Run 3', 'Run 4'])
    await page.getByRole('button', { name: 'Move run 4 up' }).click()
    await expect.poll(async () => (await queue()).map((row) => row.split(' · ')[0])).toEqual(['Run 1', 'Run 2', 'Run 4', 'Run 3'])
    await page.getByRole('list', { name: 'Queue' }).getByRole('button', { name: /^Run 4/ }).focus()
    await page.keyboard.press('Alt+ArrowUp')
    await expect.poll(async () => (await queue()).map((row) => row.split(' · ')[0])).toEqual(['Run 1', 'Run 4', 'Run 2', 'Run 3'])
    await page.getByRole('list', { name: 'Queue' }).getByRole('button', { name: /^Run 4/ }).click()
    await page.getByRole('heading', { name: 'Run 4', exact: true }).waitFor()
    await page.getByTestId('judged').getByText('Ends early once the consistency has not risen for 3 validations; now 0.').waitFor()
    await pictures('queued')
    await page.getByRole('list', { name: 'Queue' }).getByRole('button', { name: /^Run 1/ }).click()
    await expect.poll(async () => (await runNamed('long')).step, WAIT).toBeGreaterThan(12)
    await pictures('running')
  })

  it('pauses a run, which keeps its place while the next one trains, and resumes it from its step', async () => {
    for (const number of [2, 3]) {
      await page.getByRole('list', { name: 'Queue' }).getByRole('button', { name: new RegExp(`^Run ${number}`) }).click()
      await page.getByRole('button', { name: 'Take out of queue' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Take out' }).click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    await page.getByRole('list', { name: 'Queue' }).getByRole('button', { name: /^Run 1/ }).click()
    await page.getByRole('button', { name: 'Pause' }).click()
    await stateOf('long').toBe('paused')
    const { step, lastSavedStep } = await runNamed('long')
    expect(lastSavedStep).toBe(step)
    await stateOf('fourth').toBe('training')
    expect((await queue()).map((row) => row.split(' · ')[0])).toEqual(['Run 4', 'Run 1'])
    await page.getByText('Paused').first().waitFor()
    await pictures('paused')
    await page.getByRole('button', { name: 'Resume' }).click()
    await stateOf('fourth').toBe('finished')
    await expect.poll(async () => (await runNamed('long')).step, WAIT).toBeGreaterThan(step)
    await page.getByRole('button', { name: 'Stop', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Stop and keep state' }).click()
    await stateOf('long').toBe('stopped')
  })

  it('duplicates a run with changes', async () => {
    await page.getByRole('list', { name: 'Earlier runs' }).getByRole('button', { name: /^Run 1/ }).click()
    await page.getByRole('button', { name: 'More for run 1' }).click()
    await page.getByRole('menuitem', { name: 'Duplicate with changes' }).click()
    await expect.poll(() => field(/^Steps/).inputValue()).toBe('4000')
    await expect.poll(() => field(/^Images a step/).inputValue()).toBe('4')
    await addRun('copy', 5)
    const [from, copy] = [await runNamed('long'), await runNamed('copy')]
    const differing = Object.keys(copy.config).filter((key) => copy.config[key] !== from.config[key])
    expect(differing).toEqual(['steps'])
    await stateOf('copy').toBe('finished')
    await page.getByTestId('judged').getByText(/^Best by the pointing game on val: \d+\.\d % at step [45]\.$/).waitFor()
    await pictures('done')
  })

  it('keeps notes and tags, and deletes a run with what it takes on disk', async () => {
    const machine = page.getByRole('region', { name: 'Machine' })
    await machine.getByRole('textbox', { name: 'Tags' }).fill('margin, small')
    await machine.getByRole('textbox', { name: 'Note' }).fill('Only to look at.')
    await machine.getByRole('textbox', { name: 'Name' }).focus()
    await expect.poll(async () => runNamed('copy')).toMatchObject({ tags: ['margin', 'small'], note: 'Only to look at.' })
    const { number } = await runNamed('copy')
    await page.getByRole('button', { name: `More for run ${number}` }).click()
    await page.getByRole('menuitem', { name: 'Delete this run' }).click()
    await page.getByRole('dialog').getByText(/That frees/).waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await expect.poll(async () => (await api.runs.list({})).some((run) => run.name === 'copy')).toBe(false)
    await page.getByText(/are free again/).waitFor()
  })

  it('goes through the validations of a run as a film, by keys', async () => {
    await page.getByRole('list', { name: 'Earlier runs' }).getByRole('button', { name: /^Run 1/ }).click()
    await page.getByRole('group', { name: 'Show as' }).getByRole('button', { name: 'Film' }).click()
    const slider = page.getByRole('slider', { name: 'Validation' })
    const frames = (await api.runs.probes({ id: (await runNamed('long')).id })).frames.map((frame) => `Step ${frame.step}`)
    expect(frames.length).toBeGreaterThan(3)
    await expect.poll(() => page.getByTestId('film-step').innerText()).toBe(frames.at(-1))
    await slider.press('Home')
    await expect.poll(() => page.getByTestId('film-step').innerText()).toBe(frames[0])
    await slider.press('ArrowRight')
    await expect.poll(() => page.getByTestId('film-step').innerText()).toBe(frames[1])
    await pictures('film')
    await page.getByRole('button', { name: 'Play the film' }).click()
    await expect.poll(() => page.getByTestId('film-step').innerText(), WAIT).toBe(frames.at(-1))
  })

  it('overlays runs, aligned by step, time and images', async () => {
    await page.getByRole('button', { name: 'Overlay' }).click()
    await page.getByRole('menuitemcheckbox', { name: /^Run 4/ }).click()
    await page.keyboard.press('Escape')
    const align = page.getByRole('group', { name: 'Align by' })
    for (const axis of ['Time', 'Images', 'Step']) {
      await align.getByRole('button', { name: axis }).click()
      await page.waitForTimeout(150)
      await takePicture(page, `train-overlay-${axis.toLowerCase()}-dark-1440`)
    }
  })

  it('makes a sweep of runs, named by their values, and shows what differs from the preset', async () => {
    await field(/^Images a step/).fill('4')
    await page.getByRole('list', { name: 'Differences from the preset' }).getByText('Images a step').waitFor()
    await page.getByRole('button', { name: 'Sweep over several values' }).click()
    const values = page.getByRole('textbox', { name: 'Values of Learning rate' })
    await values.fill('1e-5')
    await page.getByText('At least two values').waitFor()
    await values.fill('1e-5, 3e-5, 1e-4')
    await page.getByText('3 runs, named by their values').waitFor()
    await pictures('sweep')
    // Waiting runs only: one that trains would hold them back for long.
    const busy = await api.runs.start({ preset: 'demo-amc', overrides: { ...SMALL, steps: 4000 }, datasetId, name: 'in front' })
    await page.getByRole('button', { name: 'Add 3 runs to queue' }).click()
    await expect.poll(async () => (await api.runs.list({})).filter((run) => run.name.startsWith('learningRate')).map((run) => `${run.name} ${run.state}`).sort(), WAIT)
      .toEqual(['learningRate 1e-4 waiting', 'learningRate 1e-5 waiting', 'learningRate 3e-5 waiting'])
    for (const run of await api.runs.list({})) if (run.name.startsWith('learningRate')) await api.runs.stop({ id: run.id })
    await api.runs.stop({ id: busy.id })
    await stateOf('in front').toBe('stopped')
  })

  it('says in words what goes wrong, and what to do', async () => {
    const run = await api.runs.start({ preset: 'demo-amc', overrides: { ...SMALL, 'optimizer.learningRate': 0, steps: 4000, 'validation.every': 0, 'save.every': 4000 }, datasetId, name: 'without a rate' })
    await page.getByRole('list', { name: 'Queue' }).getByRole('button', { name: new RegExp(`^Run ${run.number}`) }).click()
    const alert = page.getByTestId('alert-rate-zero')
    await alert.waitFor(WAIT)
    await alert.locator('summary').click()
    await alert.getByText(/optimizer.learningRate/).waitFor()
    await pictures('alert')
    await api.runs.stop({ id: run.id })
    await stateOf('without a rate').toBe('stopped')
  })

  it('shows a run that failed, with its reason and what to do', async () => {
    const run = await api.runs.start({ preset: 'demo-amc', overrides: { ...SMALL, 'optimizer.learningRate': 1e30, 'schedule.warmupSteps': 0, steps: 400 }, datasetId, name: 'too fast' })
    await stateOf('too fast').toBe('failed')
    await page.getByRole('list', { name: 'Earlier runs' }).getByRole('button', { name: new RegExp(`^Run ${run.number}`) }).click()
    await page.getByTestId('alert-loss-not-finite').waitFor()
    await page.getByRole('button', { name: 'Retry' }).waitFor()
    // The reason once, with what to do, and not as a fault of the program.
    expect(await page.getByText(/The loss stopped being a number at step/).count()).toBe(1)
    expect(await page.getByText(/fault of the program/).count()).toBe(0)
    await page.getByText('There was no validation, so nothing was drawn.').waitFor()
    await pictures('failed')
  })

  it('says of data without a val split that nothing is validated, what counts as the best, and how to have one', async () => {
    const source = `${folder.path}/small-demo/annotations.json`
    await writeFile(`${folder.path}/small-demo/train-only.json`, JSON.stringify((JSON.parse(await readFile(source, 'utf8')) as object[]).map((entry) => ({ ...entry, split: 'train' }))))
    const job = await api.datasets.import({ path: `${folder.path}/small-demo/train-only.json`, name: 'train only' })
    await api.ended(job.id)
    const { id } = (await api.datasets.list({})).find((dataset) => dataset.name === 'train only')!
    const run = await api.runs.start({ preset: 'demo-amc', overrides: { ...SMALL, steps: 4, 'validation.every': 2 }, datasetId: id, name: 'without val' })
    await stateOf('without val').toBe('finished')
    await showScreen(page, 'train')
    await page.getByRole('button', { name: new RegExp(`^Run ${run.number}`) }).first().click()
    await page.getByTestId('judged').getByText(/^The data of this run has no val split, so its last checkpoint counts as the best\. .*Move to split, val\.$/).waitFor(WAIT)
    await page.getByRole('region', { name: 'Probe samples' }).getByText(/^The data of this run has no val split, so nothing is validated\. .*Move to split, val\.$/).waitFor()
    for (const metric of ['val.pointingGame', 'val.consistency']) await page.getByTestId(`chart-${metric}`).getByText('no val split').waitFor()
    expect(await page.getByTestId('chart-loss.total').getByText('no val split').count()).toBe(0)
    expect(await page.getByText(/first validation/).count()).toBe(0)
    await pictures('no-val')
    const last = (await api.checkpoints.list({})).find((checkpoint) => checkpoint.runId === run.id && checkpoint.best)!
    expect(last.step).toBe(4)
    await showScreen(page, 'curate')
    await page.getByTestId('checkpoint-1').click()
    await page.getByRole('option', { name: new RegExp(`^${last.name}`) }).click()
    await page.getByText('last, no val split').waitFor(WAIT)
    expect(await page.getByText('best val').count()).toBe(0)
    await takePicture(page, 'curate-no-val')
    await showScreen(page, 'train')
  })

  it('wrote no error to the console all along', () => {
    expect(open.faults).toEqual([])
  })
})
