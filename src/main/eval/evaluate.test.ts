import { cp, mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { SIZE, writeFlickr, writeRefer } from '../../../test/support/benchmark-folder.ts'
import { describeWithTensorFlow } from '../../../test/support/tensorflow.ts'
import { temporaryFolder, TINY } from '../../../test/support/tiny-runs.ts'
import { createParams, disposeParams } from '../model/params.ts'
import { tf } from '../model/tf.ts'
import { parseModelConfig } from '../../shared/config/model-config.ts'
import { saveCheckpoint } from '../train/model-files.ts'
import { evaluateCommand } from '../cli/evaluate.ts'
import { runCli } from '../cli/run-cli.ts'
import { fingerprintOf, type EvaluationResult } from './results.ts'

interface Output {
  readonly results: readonly (Pick<EvaluationResult, 'published' | 'publishedDetections' | 'splits' | 'unreadable' | 'notes' | 'settings'> & { readonly checkpoint: string; readonly file: string; readonly computed: boolean })[]
  readonly failed: readonly { readonly checkpoint: string; readonly error: { readonly message: string } }[]
}

/** Grid of 4 x 4; two blocks, so that the image's attention has a layer before and after. */
const MODEL = parseModelConfig({ ...TINY, name: 'tiny-wide', image: { ...TINY.image, size: 48, depth: 2 } }, 'tiny-wide')
let [flickr, refer, checkpoints] = ['', '', '']

const amc = (...args: string[]) => amcUntil(new AbortController().signal, ...args)

async function amcUntil(signal: AbortSignal, ...args: string[]) {
  let [out, err] = ['', '']
  const code = await runCli([evaluateCommand], ['evaluate', ...args], { stdout: { write: (t) => (out += t) }, stderr: { write: (t) => (err += t) } }, signal, '1')
  return { code, out, err, json: (args.includes('--json') && out ? JSON.parse(out) : null) as Output }
}

const samplesOf = async (file: string): Promise<EvaluationResult['samples']> => (JSON.parse(await readFile(file, 'utf8')) as EvaluationResult).samples

describeWithTensorFlow('amc evaluate', () => {
  beforeAll(async () => {
    const root = mkdtempSync(join(tmpdir(), 'amc-evaluate-'))
    ;[flickr, refer, checkpoints] = [join(root, 'flickr'), join(root, 'refer'), join(root, 'checkpoints')]
    await writeFlickr(flickr, { val: 2, test: 3 })
    await writeRefer(refer, 8)
    await mkdir(checkpoints)
    for (const seed of [1, 2]) {
      const params = createParams(MODEL, seed)
      await saveCheckpoint(join(checkpoints, `epoch_0${seed}.safetensors`), params, { step: seed, metrics: {} }, 'fp32')
      disposeParams(params)
    }
    return () => rm(root, { recursive: true, force: true })
  })

  test('a folder of checkpoints: a result file and a line of the log each, and nothing is computed twice', async () => {
    const out = await temporaryFolder()
    const first = await amc('--checkpoint', checkpoints, '--protocol', 'flickr30k', '--data', flickr, '--out', out, '--json')
    expect(first.err).not.toMatch(/fault/)
    expect(first.code).toBe(0)
    expect(first.json.results.map(({ checkpoint, computed }) => [checkpoint, computed])).toEqual([['epoch_01.safetensors', true], ['epoch_02.safetensors', true]])
    const [one] = first.json.results
    expect(one!.splits.map(({ split, samples, unreadable }) => [split, samples, unreadable])).toEqual([['val', 6, 0], ['test', 9, 0]])
    expect(one!.published).toEqual({ val_d: one!.splits[0]!.metrics['pointing'], test: one!.splits[1]!.metrics['pointing'] })
    expect(one!.settings).toMatchObject({ mode: 'itm', layer: 1, imageSize: 48, resize: 'linear', maxWords: 50 })

    const samples = await samplesOf(one!.file)
    expect(samples.map(({ id }) => Number(id))).toEqual(samples.map((_, i) => i))
    expect(samples.filter(({ split, scores }) => split === 'val' && scores['pointing'] === 1).length / 6).toBe(one!.published['val_d'])

    const again = await amc('--checkpoint', checkpoints, '--protocol', 'flickr30k', '--data', flickr, '--out', out, '--json')
    expect(again.json.results.map(({ computed }) => computed)).toEqual([false, false])
    expect(again.json.results.map(({ published }) => published)).toEqual(first.json.results.map(({ published }) => published))
    const log = (await readFile(join(out, 'log.jsonl'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(log).toHaveLength(2)
    expect(log[0]).toMatchObject({ checkpoint: 'epoch_01.safetensors', protocol: 'flickr30k', ...one!.published, samples: 15, unreadable: 0 })
  })

  test('a model that does not fit into memory is refused with the numbers, before a weight is read', async () => {
    const out = await temporaryFolder()
    vi.spyOn(process, 'availableMemory').mockReturnValue(20_000)
    onTestFinished(() => void vi.restoreAllMocks())
    const before = tf.memory().numTensors
    const one = await amc('--checkpoint', join(checkpoints, 'epoch_01.safetensors'), '--protocol', 'flickr30k', '--data', flickr, '--out', out)
    expect(one.code).not.toBe(0)
    expect(one.err).toMatch(/This needs about \d+\.\d GB of memory and 0\.0 GB are free/)
    expect(tf.memory().numTensors).toBe(before)
    const { json } = await amc('--checkpoint', checkpoints, '--protocol', 'flickr30k', '--data', flickr, '--out', out, '--json')
    expect(json.failed.map(({ error }) => error.message)).toEqual([expect.stringMatching('This needs about'), expect.stringMatching('This needs about')])
  })

  test('the folders as published give the very same numbers', async () => {
    const out = await temporaryFolder()
    const of = async (protocol: string) => (await amc('--checkpoint', join(checkpoints, 'epoch_01.safetensors'), '--protocol', protocol, '--data', flickr, '--out', out, '--json')).json.results[0]!
    const [prepared, original] = [await of('flickr30k'), await of('flickr30k-original')]
    expect(original.splits).toEqual(prepared.splits)
    expect(await samplesOf(original.file)).toEqual(await samplesOf(prepared.file))
  })

  test('other weights, other data or other settings are computed again, and it is said why', async () => {
    const [out, copy, data] = [await temporaryFolder(), await temporaryFolder(), join(await temporaryFolder(), 'data')]
    const path = join(copy, 'best.safetensors')
    await cp(flickr, data, { recursive: true })
    const run = () => amc('--checkpoint', path, '--protocol', 'flickr30k', '--data', data, '--out', out, '--json')
    await cp(join(checkpoints, 'epoch_01.safetensors'), path)
    await run()
    await utimes(path, 0, 0)
    expect((await run()).json.results[0]!.computed).toBe(false) // the same content at another time
    await cp(join(checkpoints, 'epoch_02.safetensors'), path)
    const other = await run()
    expect(other.json.results[0]!.computed).toBe(true)
    expect(other.err).toMatch(/computed again, because the checkpoint has changed/)
    const boxes = join(data, 'bounding_boxes_val.json')
    await writeFile(boxes, (await readFile(boxes, 'utf8')).replace('[4,6,20,30]', '[5,6,20,30]'))
    const moved = await run()
    expect(moved.json.results[0]!.computed).toBe(true)
    expect(moved.err).toMatch(/other settings \(data\)/)
    const val = await amc('--checkpoint', path, '--protocol', 'flickr30k', '--data', data, '--out', out, '--json', '--split', 'val')
    expect(Object.keys(val.json.results[0]!.published)).toEqual(['val_d'])
    await writeFile(val.json.results[0]!.file, '{"format": "amc-eval')
    expect((await run()).err).toMatch(/the result there is not whole/)
  })

  test('a missing image is a miss for each of its phrases, and is named', async () => {
    const data = join(await temporaryFolder(), 'data')
    await cp(flickr, data, { recursive: true })
    const full = (await amc('--checkpoint', join(checkpoints, 'epoch_01.safetensors'), '--protocol', 'flickr30k', '--data', data, '--out', await temporaryFolder(), '--json')).json.results[0]!
    await rm(join(data, 'flickr30k-images', '1003.jpg'))
    await writeFile(join(data, 'flickr30k-images', '1004.jpg'), 'not an image')
    const { code, json } = await amc('--checkpoint', join(checkpoints, 'epoch_01.safetensors'), '--protocol', 'flickr30k', '--data', data, '--out', await temporaryFolder(), '--json')
    const [result] = json.results
    expect(code).toBe(0)
    expect(result!.splits.map(({ split, samples, unreadable }) => [split, samples, unreadable])).toEqual([['val', 6, 0], ['test', 9, 6]])
    expect(result!.unreadable).toEqual([
      { image: '1003', reason: 'The image is missing.', samples: 3 }, { image: '1004', reason: 'The file is not an image.', samples: 3 },
    ])
    const hits = (await samplesOf(full.file)).filter(({ split, image, scores }) => split === 'test' && !['1003', '1004'].includes(image) && scores['pointing'] === 1).length
    expect(result!.published['test']).toBe(hits / 9)
    expect(result!.published['val_d']).toBe(full.published['val_d'])
  })

  test('no image at all is a wrong folder, not a result of 0 %', async () => {
    const { code, err } = await amc('--checkpoint', checkpoints, '--protocol', 'flickr30k', '--data', flickr, '--images', checkpoints, '--out', await temporaryFolder())
    expect(code).toBe(3)
    expect(err).toMatch(/None of the 5 images of Flickr30k Entities is in/)
  })

  test('a damaged checkpoint does not stop the others, and the exit code says so', async () => {
    const folder = join(await temporaryFolder(), 'checkpoints')
    await cp(checkpoints, folder, { recursive: true })
    await writeFile(join(folder, 'epoch_00.safetensors'), Buffer.alloc(50, 7))
    const { code, json } = await amc('--checkpoint', folder, '--protocol', 'flickr30k', '--data', flickr, '--out', await temporaryFolder(), '--json')
    expect(code).toBe(3)
    expect(json.results.map(({ checkpoint }) => checkpoint)).toEqual(['epoch_01.safetensors', 'epoch_02.safetensors'])
    expect(json.failed.map(({ checkpoint }) => checkpoint)).toEqual(['epoch_00.safetensors'])
  })

  test("RefCOCO+: the pointing game and, with a detector's boxes, their accuracy; either way of counting a phrase without", async () => {
    const out = await temporaryFolder()
    const { json } = await amc('--checkpoint', join(checkpoints, 'epoch_01.safetensors'), '--protocol', 'refcoco+', '--data', refer, '--out', out, '--json')
    const [result] = json.results
    expect(Object.keys(result!.published)).toEqual(['val_d', 'testA_d', 'testB_d'])
    expect(Object.keys(result!.publishedDetections!)).toEqual(['val_d', 'testA_d', 'testB_d'])
    const samples = await samplesOf(result!.file)
    for (const { detection, point } of samples) {
      expect(detection!.box === null || [[28, 6, 16, 24], [4, 6, 16, 24]].some((box) => JSON.stringify(box) === JSON.stringify(detection!.box))).toBe(true)
      expect([0, 1]).toContain(detection!.iou)
      expect(point!.x).toBeLessThan(SIZE.width)
    }
    expect(samples.filter(({ split, detection }) => split === 'val' && detection!.iou >= 0.5).length / 2).toBe(result!.publishedDetections!['val_d'])
    const boxes = await amc('--checkpoint', join(checkpoints, 'epoch_01.safetensors'), '--benchmark', 'refcoco+', '--on-bbox', '--data', refer, '--out', out, '--json')
    expect(boxes.json.results[0]!.published).toEqual(result!.publishedDetections)
    expect(boxes.json.results[0]!.file).not.toBe(result!.file)
    const without = await amc('--checkpoint', join(checkpoints, 'epoch_01.safetensors'), '--protocol', 'refcoco+', '--data', refer, '--out', await temporaryFolder(), '--json', '--without-detections')
    expect(without.json.results[0]).not.toHaveProperty('publishedDetections')
    expect(without.json.results[0]!.published).toEqual(result!.published)
  })

  test('itc on any block, and layers the model does not have', async () => {
    const run = (...more: string[]) => amc('--checkpoint', join(checkpoints, 'epoch_01.safetensors'), '--protocol', 'refclef', '--data', refer, '--json', ...more)
    const [first, second] = [await run('--mode', 'itc', '--layer', '0', '--out', await temporaryFolder()), await run('--mode', 'itc', '--out', await temporaryFolder())]
    expect(first.json.results[0]!.settings).toMatchObject({ mode: 'itc', layer: 0 })
    expect(second.json.results[0]!.settings).toMatchObject({ mode: 'itc', layer: 1 })
    expect(second.json.results[0]!.splits[0]!.metrics['matchProbability']).toBeNull()
    expect((await samplesOf(first.json.results[0]!.file)).map(({ point }) => point)).not.toEqual((await samplesOf(second.json.results[0]!.file)).map(({ point }) => point))
    expect(await run('--mode', 'itc', '--layer', '2')).toMatchObject({ code: 2, err: expect.stringMatching(/layers 0 to 1 in the model tiny-wide; 2 is none/) })
    expect(await run('--layer', '0')).toMatchObject({ code: 2, err: expect.stringMatching(/layers 1 to 1/) })
    expect(await run('--mode', 'itn')).toMatchObject({ code: 2, err: expect.stringMatching(/Did you mean "itm"/) })
  })

  test('other explainers carry their names through settings, files and log; another name of the usual one is the usual one', async () => {
    const out = await temporaryFolder()
    const run = (...more: string[]) => amc('--checkpoint', join(checkpoints, 'epoch_01.safetensors'), '--protocol', 'refclef', '--data', refer, '--json', '--out', out, ...more)
    const usual = (await run()).json.results[0]!
    const results = new Map<string, Output['results'][number]>()
    for (const [name, target] of [['rollout', 'itm'], ['gradient-rollout', 'itm'], ['gradient-rollout', 'itc'], ['attention', 'itm'], ['hirescam', 'itc'], ['gradcam-classic', 'itm']] as const) {
      const { code, json } = await run('--explainer', name, '--target', target)
      expect(code).toBe(0)
      const one = json.results[0]!
      expect(one.settings).toMatchObject({ mode: `${name}-${target}`, layer: 1 })
      expect(one.file).toMatch(new RegExp(`refclef\\.${name}-${target}-layer1\\.json$`))
      expect(one.splits[0]!.metrics['matchProbability'] === null).toBe(target === 'itc')
      if (target === 'itm') expect(one.splits[0]!.metrics['matchProbability']).toBeCloseTo(usual.splits[0]!.metrics['matchProbability']!, 5)
      results.set(`${name}-${target}`, one)
    }
    const found = await Promise.all([...results.values(), usual].map(async ({ file }) => JSON.stringify((await samplesOf(file)).map(({ point, scores }) => [point, scores['giniSparseness']]))))
    expect(new Set(found).size).toBe(results.size + 1) // every one is another map
    expect((await run('--explainer', 'layercam')).json.results[0]).toMatchObject({ computed: false, file: usual.file })
    expect(await run('--explainer', 'attention', '--target', 'itc')).toMatchObject({ code: 2, err: expect.stringMatching(/the same for every phrase/) })
    expect(await run('--explainer', 'rollout', '--layer', '0')).toMatchObject({ code: 2, err: expect.stringMatching(/goes through all layers/) })
    expect(await run('--explainer', 'rolout')).toMatchObject({ code: 2, err: expect.stringMatching(/Did you mean "rollout"/) })
    expect(await run('--target', 'itc', '--mode', 'itm')).toMatchObject({ code: 2 })
  }, 300_000)

  test('with curves each phrase has a deletion and an insertion area; without, the result with them holds too', async () => {
    const out = await temporaryFolder()
    const run = (...more: string[]) => amc('--checkpoint', join(checkpoints, 'epoch_01.safetensors'), '--protocol', 'refclef', '--data', refer, '--json', '--out', out, ...more)
    const plain = (await run()).json.results[0]!
    expect(plain.splits[0]!.metrics).toMatchObject({ deletion: null, insertion: null })
    const curved = await run('--curves')
    expect(curved.err).toMatch(/other settings \(curves\)/)
    const [result] = curved.json.results
    expect(result!.settings.curves).toBe(true)
    expect(result!.published).toEqual(plain.published)
    for (const { scores } of await samplesOf(result!.file)) for (const key of ['deletion', 'insertion']) expect(scores[key]! > 0 && scores[key]! < 1).toBe(true)
    expect((await run()).json.results[0]).toMatchObject({ computed: false, splits: result!.splits })
  }, 300_000)

  test('another image size: position embeddings are interpolated; what cannot be cut into patches is refused', async () => {
    const run = (size: string, out: string) => amc('--checkpoint', join(checkpoints, 'epoch_01.safetensors'), '--protocol', 'flickr30k', '--data', flickr, '--json', '--image-size', size, '--out', out)
    const larger = await run('72', await temporaryFolder())
    expect(larger.json.results[0]!.settings.imageSize).toBe(72)
    expect(await run('50', await temporaryFolder())).toMatchObject({ code: 2, err: expect.stringMatching(/50 px cannot be cut into patches of 12 px/) })
  })

  test('images of another size than the annotations say are told', async () => {
    const data = join(await temporaryFolder(), 'data')
    await cp(refer, data, { recursive: true })
    const path = join(data, 'instances.json')
    await writeFile(path, (await readFile(path, 'utf8')).replace(`"width":${SIZE.width}`, '"width":96'))
    const { json } = await amc('--checkpoint', join(checkpoints, 'epoch_01.safetensors'), '--protocol', 'refcoco+', '--data', data, '--out', await temporaryFolder(), '--json')
    expect(json.results[0]!.notes.join()).toMatch(/1 images have another size.*1000 is 48 x 36, not 96 x 36/)
  })

  test('stopped by Ctrl+C it leaves whole results or none', async () => {
    const out = await temporaryFolder()
    const { code, err } = await amcUntil(AbortSignal.abort(), '--checkpoint', checkpoints, '--protocol', 'flickr30k', '--data', flickr, '--out', out)
    expect(code).toBe(130)
    expect(err).toMatch(/Stopped after \d+ of 15 phrases/)
    expect(await readdir(out)).toEqual([])
  })

  test('wrong options are refused before anything is loaded', async () => {
    const run = (...args: string[]) => amc('--checkpoint', checkpoints, ...args)
    expect(await run('--protocol', 'flickr')).toMatchObject({ code: 2, err: expect.stringMatching(/no protocol "flickr"/) })
    expect(await run('--data', flickr)).toMatchObject({ code: 2, err: expect.stringMatching(/needs --protocol NAME, once.*refcoco\+/s) })
    expect(await run('--protocol', 'flickr30k', '--data', flickr, '--on-bbox')).toMatchObject({ code: 3, err: expect.stringMatching(/no boxes of a detector for Flickr30k/) })
    expect(await run('--protocol', 'flickr30k')).toMatchObject({ code: 2, err: expect.stringMatching(/needs --data/) })
    expect(await run('--protocol', 'flickr30k', '--data', flickr, '--view', 'x')).toMatchObject({ code: 2, err: expect.stringMatching(/goes with --protocol view/) })
    expect(await run('--protocol', 'refcoco+', '--data', refer, '--alpha', 'half')).toMatchObject({ code: 2, err: expect.stringMatching(/--alpha must be a number/) })
    expect(await run('--protocol', 'flickr30k', '--data', flickr, '--split', 'testA')).toMatchObject({ code: 3, err: expect.stringMatching(/nothing in testA.*There are val, test/s) })
    expect(await amc('--checkpoint', flickr, '--protocol', 'flickr30k', '--data', flickr)).toMatchObject({ code: 3, err: expect.stringMatching(/holds no checkpoints/) })
    expect(await run('--protocol', 'view')).toMatchObject({ code: 2, err: expect.stringMatching(/needs --project/) })
  })

  test('a fingerprint tells files apart that differ in one place', async () => {
    const path = join(await temporaryFolder(), 'x')
    const bytes = Buffer.alloc(300_000, 3)
    await writeFile(path, bytes)
    const before = await fingerprintOf(path)
    expect(await fingerprintOf(path)).toBe(before)
    bytes[299_999] = 4
    await writeFile(path, bytes)
    expect(await fingerprintOf(path)).not.toBe(before)
  })
})
