/** Where the shell finds things: the program's folder, the Node that runs the engine, the project. */
import { createHash } from 'crypto'
import { existsSync } from 'fs'
import { homedir } from 'os'
import { join, resolve } from 'path'

/** Node 24 for the engine: given by `npm start`, else the one installed as a package beside the program. */
export function engineNode(root: string, env: NodeJS.ProcessEnv): string | null {
  const file = process.platform === 'win32' ? 'node.exe' : 'node'
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  // On Apple Silicon the package is called otherwise.
  const other = `node-bin-${process.platform}-${process.arch}`
  const candidates = [env['AMC_NODE'], join(root, 'node_modules', name, 'bin', file), join(root, 'node_modules', other, 'bin', file)]
  return candidates.find((path) => path !== undefined && existsSync(path)) || null
}

/** The demo project's folder, when no project was named. */
export function usualProject(env: NodeJS.ProcessEnv): string {
  if (process.platform === 'win32') return join(env['LOCALAPPDATA'] || join(homedir(), 'AppData', 'Local'), 'amc-workstation', 'demo')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'amc-workstation', 'demo')
  return join(env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'amc-workstation', 'demo')
}

/** A short name for a project's own window settings; the same folder gives the same name. */
export function projectKey(project: string): string {
  return createHash('sha256').update(resolve(project)).digest('hex').slice(0, 12)
}
