import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Tests never transform JSX through the page's build; esbuild's automatic runtime is enough for the few .tsx tests.
  test: {
    include: [
      'src/**/*.test.ts',
      'src/**/*.test.tsx',
      'scripts/lib/*.test.mjs',
      'test/{golden,engine,faults,fixtures}/**/*.test.ts',
    ],
    // The TensorFlow addon keeps global state and cannot be unloaded: a process for each file, never a thread.
    pool: 'forks',
    // Two cores are the machine this must run on; TensorFlow starts its own threads in each fork.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    env: { TF_CPP_MIN_LOG_LEVEL: '2' },
  },
})
