/** The demo's folder on disk: written aside, put in place at the end, recognised when it is already there. */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { AppError } from '../../shared/errors.ts'

export const ANNOTATIONS_FILE = 'annotations.json'
export const PLANTED_ERRORS_FILE = 'planted-errors.json'
export const NOTICE_FILE = 'NOTICE.md'
const MANIFEST_FILE = 'demo.json'
const IMAGES_FOLDER = 'images'
const OWN_ENTRIES = new Set([ANNOTATIONS_FILE, PLANTED_ERRORS_FILE, NOTICE_FILE, MANIFEST_FILE, IMAGES_FOLDER])

export interface DemoCounts {
  readonly images: number
  readonly regions: number
  readonly planted: number
}

/** What a folder was made from and what it must hold; equal recipes give equal folders. */
export interface DemoManifest {
  readonly recipe: Readonly<Record<string, unknown>>
  readonly counts: DemoCounts
  readonly sha256: Readonly<Record<string, string>>
}

/** The counts of a complete folder made from this recipe, or null when there is none. A missing image or changed file makes it incomplete. */
export async function readComplete(dir: string, recipe: DemoManifest['recipe']): Promise<DemoCounts | null> {
  try {
    const manifest = JSON.parse(await readFile(join(dir, MANIFEST_FILE), 'utf8')) as DemoManifest
    if (JSON.stringify(manifest.recipe) !== JSON.stringify(recipe)) return null
    for (const [name, hash] of Object.entries(manifest.sha256)) {
      if (sha256(await readFile(join(dir, name))) !== hash) return null
    }
    const images = (await readdir(join(dir, IMAGES_FOLDER))).filter((name) => name.endsWith('.png'))
    return images.length === manifest.counts.images ? manifest.counts : null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR' || error instanceof SyntaxError) return null
    throw error
  }
}

/**
 * Fills a temporary folder beside dir, then swaps it in: dir is complete or as it was. What an interrupted call left behind
 * is removed. Errors: 'conflict' when dir holds anything that is not the demo's own.
 */
export async function replaceFolder(dir: string, fill: (temporary: string) => Promise<DemoManifest>): Promise<DemoCounts> {
  const target = resolve(dir)
  await refuseForeign(target)
  await mkdir(dirname(target), { recursive: true })
  await removeLeftovers(target)
  const temporary = `${target}.making-${process.pid}`
  const old = `${target}.old-${process.pid}`
  try {
    await mkdir(join(temporary, IMAGES_FOLDER), { recursive: true })
    const manifest = await fill(temporary)
    await writeFile(join(temporary, MANIFEST_FILE), JSON.stringify(manifest, null, 2) + '\n')
    await rename(target, old).catch(ignoreMissing)
    await rename(temporary, target)
    return manifest.counts
  } finally {
    await rm(temporary, { recursive: true, force: true })
    await rm(old, { recursive: true, force: true })
  }
}

export function imagePathIn(dir: string, image: string): string {
  return join(dir, ...image.split('/'))
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}

async function refuseForeign(target: string): Promise<void> {
  const entries = await readdir(target).catch(ignoreMissing)
  const foreign = entries?.find((name) => !OWN_ENTRIES.has(name))
  if (foreign === undefined) return
  throw new AppError('conflict', `The folder ${target} holds ${foreign}, which is not part of the demo, so the demo was not written there.`, 'Choose an empty or new folder.', target)
}

/** Temporary folders of processes that are gone. */
async function removeLeftovers(target: string): Promise<void> {
  const parent = dirname(target)
  for (const name of await readdir(parent)) {
    const match = /^(.*)\.(?:making|old)-(\d+)$/.exec(name)
    if (match?.[1] === basename(target) && !isRunning(Number(match[2]))) await rm(join(parent, name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}
