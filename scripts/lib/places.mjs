/** Where things live: the source tree, the cache of downloads, and the user's data. Plain Node >= 20, no dependencies. */
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Top folder of the source tree. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')

const APP = 'amc-workstation'

/**
 * Folder of what can be downloaded or computed again (TensorFlow, addons).
 * @param {NodeJS.ProcessEnv} env
 */
export function cacheRoot(env = process.env, platform = process.platform, home = homedir()) {
  if (env['XDG_CACHE_HOME']) return join(env['XDG_CACHE_HOME'], APP)
  if (platform === 'darwin') return join(home, 'Library', 'Caches', APP)
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'), APP, 'Cache')
  return join(home, '.cache', APP)
}

/**
 * Folder of the user's own projects; the demo project is `demo` inside it.
 * @param {NodeJS.ProcessEnv} env
 */
export function dataRoot(env = process.env, platform = process.platform, home = homedir()) {
  if (env['XDG_DATA_HOME']) return join(env['XDG_DATA_HOME'], APP)
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', APP)
  if (platform === 'win32') return join(env['APPDATA'] ?? join(home, 'AppData', 'Roaming'), APP)
  return join(home, '.local', 'share', APP)
}
