import { defineConfig } from 'vitest/config'

const common = {
  // The TensorFlow addon keeps global state and cannot be unloaded: a process for each file, never a thread.
  pool: 'forks' as const,
  testTimeout: 60_000,
  hookTimeout: 120_000,
  env: { TF_CPP_MIN_LOG_LEVEL: '2' },
}

/** A group that `npm test` runs and reports by name. */
const group = (name: string, include: string[], exclude: string[] = []) => ({ test: { ...common, name, include, exclude } })

export default defineConfig({
  test: {
    // Two cores are the machine this must run on; TensorFlow starts its own threads in each fork.
    maxWorkers: 2,
    projects: [
      group('unit', ['src/**/*.test.{ts,tsx}', 'scripts/lib/*.test.mjs'], ['src/main/golden/**']),
      group('golden', ['test/golden/**/*.test.ts', 'src/main/golden/**/*.test.ts']),
      group('engine', ['test/{engine,faults,fixtures}/**/*.test.ts']),
    ],
  },
})
