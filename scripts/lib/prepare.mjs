/** The steps before anything can run, in order: Node, dependencies, TensorFlow, build. Each is skipped when it is done. */
import { join } from 'node:path'
import { ensureBuild } from './bundle.mjs'
import { ensureDependencies } from './dependencies.mjs'
import { withLock } from './lock.mjs'
import { checkLauncherNode, requireNode } from './node-binary.mjs'
import { cacheRoot, root } from './places.mjs'
import { ensureTensorFlow } from './tensorflow.mjs'

/**
 * @param {import('./steps.mjs').Steps} steps
 * @param {{build?: boolean, forceBuild?: boolean}} [options]
 * @returns {Promise<{node: string}>} the Node that runs everything else
 */
export function prepare(steps, { build = true, forceBuild = false } = {}) {
  checkLauncherNode()
  return withLock(join(root, '.cache', 'setup.lock'), steps.say, async () => {
    await steps.run('dependencies', () => ensureDependencies({ root, tell: steps }))
    const node = requireNode(root)
    await steps.run('tensorflow', async () => {
      const { skipped, note } = await ensureTensorFlow({ root, cache: cacheRoot(), node, tell: steps })
      const words = `TensorFlow ${note.tensorflow}, ${note.flavour === 'cuda' ? 'GPU' : 'CPU'}`
      return skipped ? { skipped: words } : { did: words }
    })
    if (build) await steps.run('build', () => ensureBuild({ root, node, tell: steps, force: forceBuild }))
    return { node }
  })
}
