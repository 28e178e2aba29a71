/** The stage of a story in Curate: a folder, an engine on a project with one dataset, the page, and hands and eyes for both. */
import { AxeBuilder } from '@axe-core/playwright'
import type { Locator, Page } from 'playwright-core'
import { type OpenPage, openPage } from './browser.ts'
import { callEngine, type EngineClient } from './call.ts'
import { type CanvasDriver, canvasDriver } from './canvas-driver.ts'
import { makeSmallDemo, type ServedEngine, serve, temporaryFolder } from './engine.ts'
import { type ProjectReader, readProject } from './project-reader.ts'
import { showScreen } from './screens.ts'

export interface Story {
  readonly folder: string
  /** As it was started; a story that starts it again closes its own. */
  readonly engine: ServedEngine
  readonly api: EngineClient
  readonly datasetId: string
  readonly open: OpenPage
  readonly page: Page
  readonly image: CanvasDriver
  readonly stored: ProjectReader
  /** @param engine the one that runs now, where it was started again */
  readonly close: (engine?: ServedEngine) => Promise<void>
}

/** What there is before the page is opened. */
export type Stage = Pick<Story, 'folder' | 'engine' | 'api' | 'datasetId' | 'stored'>

export interface StoryOptions {
  /** Writes the dataset into the folder and answers its path; the small demo where it is left out, none for null. */
  readonly dataset?: ((folder: string) => Promise<string>) | null
  readonly name?: string
  /** Done before the page is opened. Answers what stands in the address beside the dataset. */
  readonly prepare?: (stage: Stage) => Promise<string | void>
}

/** Opens a story on Curate with the first sample in hand; without a dataset on the library. */
export async function openStory(about: string, { dataset = (folder) => makeSmallDemo(`${folder}/small-demo`), name = 'small demo', prepare }: StoryOptions = {}): Promise<Story> {
  const folder = await temporaryFolder(about)
  const undo: (() => unknown)[] = [folder.remove]
  const ended = async (): Promise<void> => {
    for (const end of undo.reverse()) await end()
  }
  try {
    let engine = await serve(`${folder.path}/project`)
    undo.push(() => engine.close())
    const api = callEngine(engine)
    undo.push(() => api.close())
    if (dataset) await api.ended((await api.datasets.import({ path: await dataset(folder.path), name })).id)
    const datasetId = (await api.datasets.list({}))[0]?.id ?? ''
    const stored = readProject(engine.projectDir)
    undo.push(() => stored.close())
    const stage = { folder: folder.path, engine, api, datasetId, stored }
    const query = (await prepare?.(stage)) ?? ''
    const open = await openPage(engine)
    undo.push(() => open.close())
    const image = canvasDriver(open.page, 'image')
    if (dataset) {
      await showScreen(open.page, 'curate', `dataset=${datasetId}${query}`)
      await image.ready()
    }
    return {
      ...stage, open, page: open.page, image,
      close: async (running) => {
        if (running) engine = running
        await ended()
      },
    }
  } catch (error) {
    await ended()
    throw error
  }
}

export interface Eyes {
  /** Rows of the queue that are there. */
  readonly rows: () => Locator
  /** The region of the selected row. */
  readonly regionId: () => Promise<string>
  /** The region in hand, be it in the queue or not. */
  readonly inHand: () => Promise<string>
  readonly allSaved: () => Promise<void>
  /** What axe calls serious, the names of controls against their visible words included. */
  readonly serious: () => Promise<string[]>
}

export function eyesOn(page: Page): Eyes {
  const rows = (): Locator => page.getByTestId('queue').locator('[role="option"]')
  return {
    rows,
    regionId: async () => (await rows().and(page.locator('[aria-selected="true"]')).getAttribute('data-region'))!,
    inHand: async () => (await page.getByRole('region', { name: 'Inspector' }).locator('[title][data-selectable]').getAttribute('title'))!,
    allSaved: () => page.getByTestId('save-state').filter({ hasText: 'All changes saved' }).waitFor(),
    serious: async () => {
      const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']).options({ rules: { 'label-content-name-mismatch': { enabled: true } } }).analyze()
      return violations.filter((one) => one.impact === 'serious' || one.impact === 'critical').map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).join(' | ')}`)
    },
  }
}
