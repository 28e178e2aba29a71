/**
 * The window's two small parts and the page. The window's parts are CommonJS in old syntax, because the end-to-end tests
 * also run an old Electron (Node 12); the page's syntax and styles are lowered to Chromium 83 for the same reason.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'

const at = (path: string): string => resolve(import.meta.dirname, path)

/** One CommonJS file with nothing but Electron and Node's own modules outside. */
function shellPart(entry: string, outDir: string) {
  return {
    build: {
      outDir: at(outDir),
      target: 'node12',
      minify: false,
      externalizeDeps: false,
      rollupOptions: {
        input: { index: at(entry) },
        external: ['electron', /^node:/],
        // Node 12 knows its own modules only without the prefix.
        output: { format: 'cjs' as const, entryFileNames: '[name].cjs', codeSplitting: false, paths: (id: string) => id.replace(/^node:/, '') },
      },
    },
  }
}

export default defineConfig({
  ...(existsSync(at('src/main/index.ts')) ? { main: shellPart('src/main/index.ts', 'out/main') } : {}),
  ...(existsSync(at('src/preload/index.ts')) ? { preload: shellPart('src/preload/index.ts', 'out/preload') } : {}),
  renderer: {
    root: at('src/renderer'),
    plugins: [react()],
    build: {
      outDir: at('out/renderer'),
      target: 'chrome83',
      // The minifier is what lowers styles (inset, nesting); without it they pass through as written.
      minify: true,
      cssMinify: 'lightningcss',
      cssTarget: 'chrome83',
      rollupOptions: { input: { index: at('src/renderer/index.html') } },
    },
  },
})
