/** The engine, the compute worker and the command line for Node 24. Dependencies stay packages; only our files are bundled. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { defineConfig } from 'vite'

const at = (path: string): string => resolve(import.meta.dirname, path)

const entries = { cli: 'src/main/cli.ts', main: 'src/main/engine/main.ts', worker: 'src/main/compute/worker.ts' }

export default defineConfig({
  publicDir: false,
  build: {
    outDir: at('out/engine'),
    target: 'node24',
    ssr: true,
    minify: false,
    sourcemap: true,
    rollupOptions: {
      input: Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(at(path))).map(([name, path]) => [name, at(path)])),
      // Shared parts lie beside the entries, so that a file's own folder is the same wherever its code ends up.
      output: { format: 'es', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
    },
  },
})
