/** The program's version, from package.json: the sources and the bundle lie at different depths below it. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export function programVersion(): string {
  const file = join(programRoot(), 'package.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : 'unknown'
}

/** The folder with package.json, configs/ and resources/. */
export function programRoot(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
  }
  return import.meta.dirname
}
