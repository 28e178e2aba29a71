import { defineConfig } from 'vitest/config'

/** The stories: a real engine, a real browser or Electron, one after the other. Run after a build (`npm test` does both). */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.e2e.test.ts'],
    pool: 'forks',
    // One window and one TensorFlow at a time; two cores are the machine this must run on.
    fileParallelism: false,
    maxWorkers: 1,
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // A model on a busy machine takes its time; what is asked is that it comes.
    expect: { poll: { timeout: 15_000 } },
    // A story goes on where its last step ended, so a failed step makes the next ones meaningless.
    bail: 0,
    env: { TF_CPP_MIN_LOG_LEVEL: '2' },
  },
})
