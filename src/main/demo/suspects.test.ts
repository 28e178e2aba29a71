/** The suspicion that the screen shows, by the checkpoint that comes with the program, on scenes it was not trained on. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { describeWithTensorFlow } from '../../../test/support/tensorflow.ts'
import { disposeParams } from '../model/params.ts'
import { createImageCache } from '../train/image-cache.ts'
import { loadModel } from '../train/model-files.ts'
import { groupByImage } from '../train/samples.ts'
import { scoreImages, type ScoredSample } from '../train/scoring.ts'
import { demoSamples } from './demo-command.ts'
import { PLANTED_ERRORS_FILE } from './demo-folder.ts'
import { findSuspects } from './demo-measures.ts'
import { generateDemo } from './generate.ts'
import type { PlantedErrorsFile } from './planted-errors.ts'

describeWithTensorFlow('suspects by the shipped checkpoint', () => {
  test('finds the planted errors of 200 scenes: AUROC 0.95, precision 0.9 at half their number', { timeout: 300_000 }, async () => {
    const dir = await mkdtemp(join(tmpdir(), 'amc-suspects-'))
    onTestFinished(() => rm(dir, { recursive: true, force: true }))
    const data = join(dir, 'demo')
    await generateDemo({ dir: data, seed: 21, train: 200, closeUps: 0, heldOut: 1 })
    const images = await groupByImage((await demoSamples(data)).filter((sample) => sample.split === 'train'))
    const model = await loadModel(join(import.meta.dirname, '../../../resources/checkpoints/demo-with-amc.safetensors'))
    onTestFinished(() => disposeParams(model.params))
    const scored: ScoredSample[] = []
    for await (const batch of scoreImages(model, images, createImageCache(model.config.image.size, 'bicubic', 1e8))) scored.push(...batch.scored)
    // Read after everything is judged, to measure alone.
    const planted = JSON.parse(await readFile(join(data, PLANTED_ERRORS_FILE), 'utf8')) as PlantedErrorsFile
    const found = findSuspects(scored, images, new Set(planted.errors.map((error) => `demo-${error.index}`)))
    expect(planted.errors.length).toBeGreaterThan(20)
    expect(found.auroc).toBeGreaterThanOrEqual(0.95)
    expect(found.precisionAtHalf).toBeGreaterThanOrEqual(0.9)
  })
})
