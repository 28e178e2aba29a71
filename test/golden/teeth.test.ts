/** Every group of comparisons can fail: one value of a copy of the recorded folder is changed by little more than is allowed. */
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openSafetensors, writeSafetensors } from '../../src/main/checkpoints/safetensors.ts'
import type { HostTensor } from '../../src/main/checkpoints/tensor-file.ts'
import { runGolden } from '../../src/main/golden/run-golden.ts'
import * as nn from '../../src/main/model/nn.ts'
import { tf } from '../../src/main/model/tf.ts'
import { describeWithTensorFlow } from '../support/tensorflow.ts'

vi.mock('../../src/main/model/nn.ts', { spy: true })

const TIMEOUT_MS = 600_000
const recorded = join(import.meta.dirname, 'tiny-a')
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'amc-teeth-'))
  cpSync(recorded, dir, { recursive: true })
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** The names that fail, of the cases whose name contains `only`; at least one must have run. */
async function failures(only: string): Promise<string[]> {
  const { cases } = await runGolden(dir, { only: [only] })
  expect(Object.keys(cases)).not.toEqual([])
  return Object.keys(cases).filter((name) => !cases[name]!.ok)
}

/** Moves one entry of a recorded tensor: by a share of its largest entry, or by an amount. */
function move(file: string, tensor: RegExp, by: { share?: number; amount?: number }): void {
  const path = join(dir, file)
  const opened = openSafetensors(path)
  const values = new Map<string, HostTensor>([...opened.tensors].map(([name, entry]) => [name, entry.read()]))
  opened.close()
  const name = [...values.keys()].find((one) => tensor.test(one))!
  const { data, dtype } = values.get(name)!
  const largest = Array.from(data as ArrayLike<number | bigint>, Number).reduce((high, value) => Math.max(high, Math.abs(value)), 0)
  const at = data.length >> 1
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[at] = data[at]! + 1n
  else data[at] = data[at]! + (by.amount ?? 0) + (by.share ?? 0) * largest
  writeSafetensors(path, new Map([...values].map(([key, value]) => [key, { shape: value.shape, data: value.data, dtype: key === name ? dtype : value.dtype }])))
}

/** Replaces text in a JSON file; the pattern must be there. */
function edit(file: string, pattern: RegExp, text: string): void {
  const path = join(dir, file)
  const before = readFileSync(path, 'utf8')
  const after = before.replace(pattern, text)
  expect(after).not.toBe(before)
  writeFileSync(path, after)
}

const layerFile = (kind: string): string => readdirSync(recorded).find((name) => name.startsWith(`${kind}_layer`))!

describeWithTensorFlow('a difference just beyond what is allowed is seen', () => {
  test.each<[only: string, file: string, tensor: RegExp, by: { share?: number; amount?: number }]>([
    ['forward', 'forward.safetensors', /^fusion_pos$/, { share: 4e-5 }],
    ['queues after', 'queues_after_forward.safetensors', /^text_queue$/, { amount: 3e-5 }],
    ['queues after', 'queues_after_forward.safetensors', /^queue_ptr_txt$/, {}],
    ['amc full', 'amc_full.safetensors', /^gradcam_norm$/, { amount: 6e-5 }],
    ['gradients total', 'grads_total.safetensors', /crossattention\.self\.value\.weight$/, { share: 4e-4 }],
    ['gradients total', 'grads_total.safetensors', /self\.key\.bias$/, { amount: 3e-6 }],
    ['steps', 'step1.safetensors', /^text_encoder_m\..*dense\.weight$/, { amount: 4e-4 }],
    ['steps', 'step3.safetensors', /^vision_proj\.weight$/, { amount: 4e-4 }],
    ['resume', 'step4_probe.safetensors', /^text_proj\.weight$/, { amount: 4e-4 }],
    ['position embeddings', 'pos_embed_interp.safetensors', /^dst$/, { amount: 3e-5 }],
    ['evaluation itm', 'eval.safetensors', /^itm_block\d+\/pred$/, { amount: 1e-4 }],
    ['evaluation itc', 'eval.safetensors', /vit_attn_grad$/, { amount: 1e-4 }],
    ['region masks', 'prep/prep.safetensors', /^mask\//, { amount: 1e-4 }],
    ['image preparation', 'prep/prep.safetensors', /cv2_linear/, { amount: 1 }],
    ['image preparation', 'prep/prep.safetensors', /pil_bicubic/, { amount: 2 }],
    ['batch from', 'inputs.safetensors', /^image$/, { amount: 1e-3 }],
    ['upsampled', 'metrics/metrics.safetensors', /^up_/, { amount: 1e-4 }],
  ])('%s: %s %s', async (only, file, tensor, by) => {
    move(file, tensor, by)
    expect(await failures(only)).not.toEqual([])
  }, TIMEOUT_MS)

  test.each<[only: string, file: string, pattern: RegExp, text: string]>([
    ['losses f32', 'losses.json', /"loss_itm": (\d+\.\d{3})\d/, '"loss_itm": $19'],
    ['pre_caption', 'pre_caption.json', /"out": "(\w)/, '"out": "$1 '],
    ['tokenizer_small', 'tokenizer_small.json', /"input_ids":\s*\[(\d)/, '"input_ids": [1$1'],
    ['learning rates', 'lr_schedule.json', /1\.45e-06/, '1.4500001e-06'],
    ['queues', 'queue_cases.json', /"ptr": (\d)/, '"ptr": 1$1'],
    ['checkpoint mixed', 'mixed_dtypes_tensors.json', /"float16"/, '"bfloat16"'],
    ['optimizer groups', 'optimizer_groups.json', /"temp",/, ''],
    ['pointing game flickr', 'metrics/flickr/expected.json', /"hit": false/, '"hit": true'],
    ['records refclef', 'metrics/refclef/refs_unc_as_json.json', /"split": "val"/, '"split": "test"'],
    ['settings', 'bert_config.json', /"layer_norm_eps": 1e-12/, '"layer_norm_eps": 1e-06'],
    ['settings', 'config.json', /"batch_size": 4/, '"batch_size": 5'],
    ['settings', 'inputs.json', /"initial_queue_ptr": 0/, '"initial_queue_ptr": 1'],
    ['training state', 'config.json', /"alpha": 0\.4/, '"alpha": 0.5'],
    ['training state', 'optimizer_groups.json', /"eps": 1e-08/, '"eps": 1e-07'],
    ['optimizer groups', 'optimizer_groups.json', /"amsgrad": false/, '"amsgrad": true'],
    ['learning rates', 'lr_schedule.json', /"t_initial": 30/, '"t_initial": 31'],
    ['learning rates', 'lr_schedule.json', /"sched": "cosine"/, '"sched": "step"'],
    ['tokenizer_small', 'tokenizer_small.json', /"token_type_ids":\s*\[0/, '"token_type_ids": [1'],
    ['tokenizer_bert', 'bert_vocab.txt', /\nkite\n/, '\nkites2\n'],
    ['checkpoint checkpoint', 'checkpoint_00_tensors.json', /"stride":\[8/, '"stride":[9'],
    ['losses f64', 'losses.json', /"f64": \{\s*"loss_mlm": 4\.83/, '"f64": {"loss_mlm": 4.84'],
    ['losses none', 'losses.json', /"n_returned": 3/, '"n_returned": 5'],
    ['gradients total', 'grads_info.json', /"f64_sum":\s*[-\d.e]+/, '"f64_sum":100.5'],
    ['gradients amc', 'verify.json', /"numeric": -?0\.\d\d/, '"numeric": 0.55'],
    ['steps', 'steps.json', /"numel":\s*2048/, '"numel":2047'],
    ['evaluation loading', 'eval.json', /"idx_queue"/, '"idx_queues"'],
    ['evaluation flickr', 'eval_flickr_end2end.json', /"splits": \[\s*"test"/, '"splits": ["val"'],
    ['region masks', 'prep/prep.json', /"mask_sum": 405\.0/, '"mask_sum": 405.5'],
    ['colours', 'prep/prep.json', /"saturation": 1\.19/, '"saturation": 1.29'],
  ])('%s: %s', async (only, file, pattern, text) => {
    edit(file, pattern, text)
    expect(await failures(only)).not.toEqual([])
  }, TIMEOUT_MS)

  test('one weight of the model is off: forward pass, losses and gradients all say so', async () => {
    const path = join(dir, 'checkpoint_00.pth')
    const bytes = readFileSync(path)
    // The stored values of a projection, found by their bytes.
    const listing = JSON.parse(readFileSync(join(dir, 'checkpoint_00_tensors.json'), 'utf8')) as { name: string; first: number[] }[]
    const wanted = Float32Array.from(listing.find(({ name }) => name === 'vision_proj.weight')!.first)
    const at = bytes.indexOf(Buffer.from(wanted.buffer))
    expect(at).toBeGreaterThan(0)
    bytes.writeFloatLE(wanted[0]! + 0.01, at)
    writeFileSync(path, bytes)
    expect(await failures('forward')).toContain('forward')
    expect(await failures('losses f32')).toEqual(['losses f32'])
    expect(await failures('gradients total')).toEqual(['gradients total'])
    expect(await failures('checkpoint checkpoint')).not.toEqual([])
  }, TIMEOUT_MS)

  test("TensorFlow.js' own softmax is seen by the gradients of the layer below the last, and only by these", async () => {
    vi.mocked(nn.softmax).mockImplementation((x) => tf.softmax(x))
    try {
      const below = /_(layer\w+)\.safetensors$/.exec(layerFile('grads_amc'))![1]!
      expect(await failures('gradients amc')).toEqual([`gradients amc_${below}`])
    } finally {
      vi.mocked(nn.softmax).mockRestore()
    }
  }, TIMEOUT_MS)

  test('gradients of a kind that is not known fail', async () => {
    cpSync(join(dir, 'grads_amc.safetensors'), join(dir, 'grads_other.safetensors'))
    expect(await failures('gradients other')).toEqual(['gradients other'])
  }, TIMEOUT_MS)

  test('a folder that is none says so', async () => {
    await expect(runGolden(join(dir, 'prep'))).rejects.toThrow(/is not a folder of golden data/)
    writeFileSync(join(dir, 'inputs.json'), '{')
    await expect(runGolden(dir)).rejects.toThrow(/inputs\.json is not JSON/)
  }, TIMEOUT_MS)
})
