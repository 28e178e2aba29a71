/** Run settings from files: the presets in configs/run and a person's own YAML. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { parse, YAMLParseError } from 'yaml'
import { parseModelConfig, type ModelConfig } from '../../shared/config/model-config.ts'
import { parseRunConfig, type RunConfig } from '../../shared/config/run-config.ts'
import { AppError, nearest } from '../../shared/errors.ts'

export interface NamedPreset {
  readonly name: string
  readonly config: RunConfig
}

/** The program's folder of settings: configs/ beside package.json, from source and from the built bundle alike. */
export function configsDir(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const candidate = join(folder, 'configs')
    if (existsSync(join(candidate, 'run'))) return candidate
    if (folder === dirname(folder)) throw new AppError('internal', 'The folder configs of the program is missing.', 'Install the program again.')
  }
}

/** All presets, sorted by name with the demo first. */
export async function listPresets(): Promise<NamedPreset[]> {
  const names = await presetNames()
  return Promise.all(names.map(async (name) => ({ name, config: await loadRunConfig(name) })))
}

async function presetNames(): Promise<string[]> {
  const files = await readdir(join(configsDir(), 'run'))
  const names = files.filter((file) => extname(file) === '.yaml').map((file) => file.slice(0, -'.yaml'.length))
  return names.sort((a, b) => Number(b.startsWith('demo')) - Number(a.startsWith('demo')) || a.localeCompare(b))
}

/**
 * A preset by name, or the settings in a YAML file by path.
 * @throws AppError 'bad-input' with file, line and column, or with the nearest name
 */
export async function loadRunConfig(nameOrPath: string): Promise<RunConfig> {
  const isPath = /[\\/]|\.ya?ml$/.test(nameOrPath)
  const path = isPath ? nameOrPath : join(configsDir(), 'run', `${nameOrPath}.yaml`)
  if (!isPath && !existsSync(path)) {
    const known = await presetNames()
    const near = nearest(nameOrPath, known)
    throw new AppError('bad-input', `There is no preset "${nameOrPath}".`, near ? `Did you mean "${near}"? There are: ${known.join(', ')}.` : `There are: ${known.join(', ')}.`)
  }
  return parseRunConfig(await readYaml(path), path)
}

/** The sizes of a model: a name of configs/model, or the path of a YAML file. */
export async function loadModelConfig(name: string): Promise<ModelConfig> {
  if (/[\\/]|\.ya?ml$/.test(name)) return parseModelConfig(await readYaml(name), name)
  const folder = join(configsDir(), 'model')
  const path = join(folder, `${name}.yaml`)
  if (!existsSync(path)) {
    const known = (await readdir(folder)).map((file) => file.replace(/\.yaml$/, ''))
    const near = nearest(name, known)
    throw new AppError('bad-input', `There is no model "${name}".`, near ? `Did you mean "${near}"?` : `There are: ${known.join(', ')}.`, 'model')
  }
  return parseModelConfig(await readYaml(path), path)
}

async function readYaml(path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new AppError('bad-input', 'The settings file cannot be read.', 'Check its path.', path, { cause: error })
  }
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error
    const at = error.linePos?.[0]
    throw new AppError('bad-input', `The settings are not YAML: ${error.message.split('\n')[0]}`, 'Correct this line.', at ? `${path}:${at.line}:${at.col}` : path, { cause: error })
  }
}
