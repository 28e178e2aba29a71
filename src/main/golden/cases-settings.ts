/** The folder's settings: every one is used, compared with what else is recorded, or known to have no influence here. */
import { compareExactly, failed, passed, type Check } from './compare.ts'
import { intsOf, type GoldenFolder } from './folder.ts'
import { scheduleChecks, SCHEDULE_UNUSED, type SchedulerJson } from './scheduler-state.ts'
import type { GoldenCase, GoldenSetup } from './setup.ts'

const CONFIG = 'config.json'
const INPUTS = 'inputs.json'

/** Settings that the model is built from, or that other cases use. */
const USED = [
  'image_res', 'vision_width', 'vit_depth', 'vit_heads', 'embed_dim', 'queue_size', 'momentum', 'max_words', 'mask_all', 'mask_size', 'gcam_layer', 'bert_config',
]

/** Settings of the training loop; the recorded batch and its random choices are given. */
const WITHOUT_INFLUENCE: Readonly<Record<string, string>> = {
  temp: 'the start value of the temperature; the checkpoint holds its own',
  mlm_probability: 'the masked words are recorded',
  alpha: 'the recorded step has its own in inputs.json',
  phrase_input: 'the captions are recorded',
  optimizer: 'the recorded steps have their own in optimizer_groups.json',
}

const BERT_USED = ['hidden_size', 'intermediate_size', 'max_position_embeddings', 'num_attention_heads', 'num_hidden_layers', 'vocab_size', 'fusion_layer', 'pad_token_id']

export function settingsCases(setup: GoldenSetup): GoldenCase[] {
  return [{ name: 'settings', run: () => settingsCase(setup) }]
}

async function settingsCase(setup: GoldenSetup): Promise<Check[]> {
  return [...configChecks(setup), ...bertChecks(setup), ...(await inputChecks(setup)), ...indicatorChecks(setup)]
}

function configChecks({ folder, batch }: GoldenSetup): Check[] {
  const config = folder.json<Readonly<Record<string, unknown>>>(CONFIG)
  return Object.keys(config).flatMap((key): Check[] => {
    if (USED.includes(key)) return []
    if (key === 'batch_size') return [compareExactly(key, batch.imageCount, config[key])]
    if (key === 'add_gcam') return [compareExactly(key, true, config[key])]
    if (key === 'schedular') {
      for (const [part, why] of Object.entries(SCHEDULE_UNUSED)) folder.leaveOut(CONFIG, `${key}.${part}`, why)
      for (const part of ['epochs', 'min_lr', 'decay_rate', 'warmup_lr', 'warmup_epochs']) folder.leaveOut(CONFIG, `${key}.${part}`, 'compared with the scheduler\'s state where a checkpoint holds it')
      return scheduleChecks(key, config[key] as SchedulerJson)
    }
    const why = WITHOUT_INFLUENCE[key]
    if (!why) return [failed(`${CONFIG}: ${key}`, 'nothing here knows this setting')]
    folder.leaveOut(CONFIG, key, why)
    return key === 'optimizer' ? optimizerChecks(config[key] as OptimizerJson) : []
  })
}

interface OptimizerJson {
  readonly opt: string
}

const optimizerChecks = (settings: OptimizerJson): Check[] => [
  compareExactly('optimizer', 'adamw', settings.opt.toLowerCase()),
  ...Object.keys(settings).filter((key) => !['opt', 'lr', 'weight_decay'].includes(key)).map((key) => failed(`optimizer.${key}`, 'nothing here knows this setting')),
]

/** Settings of BERT that have one value here: another one would be another model. */
function bertChecks({ folder, config }: GoldenSetup): Check[] {
  const name = folder.json<{ bert_config: string }>(CONFIG).bert_config
  const bert = folder.json<Readonly<Record<string, unknown>>>(name)
  folder.leaveOut(name, 'initializer_range', 'the weights are recorded')
  const known: Readonly<Record<string, unknown>> = {
    architectures: ['BertForMaskedLM'], attention_probs_dropout_prob: 0, hidden_dropout_prob: 0, hidden_act: 'gelu', layer_norm_eps: 1e-12,
    model_type: 'bert', type_vocab_size: 2, encoder_width: config.image.width, add_cross_attention: true, position_embedding_type: 'absolute',
  }
  return Object.keys(bert).flatMap((key): Check[] => {
    if (BERT_USED.includes(key) || key === 'initializer_range') return []
    return [key in known ? compareExactly(key, known[key], bert[key]) : failed(`${name}: ${key}`, 'nothing here knows this setting')]
  })
}

async function inputChecks(setup: GoldenSetup): Promise<Check[]> {
  const { folder, inputs } = setup
  folder.leaveOut(INPUTS, 'weight_seed', 'the weights are recorded')
  const pointer = inputs.initial_queue_ptr
  if (pointer === undefined) return []
  const file = await setup.open()
  try {
    const found = [...file.tensors].filter(([name]) => /(^|\.)queue_ptr(_\w+)?$/.test(name)).map(([name, entry]) => [name, Number(entry.read().data[0])])
    return [compareExactly('queue pointers', found, found.map(([name]) => [name, pointer]))]
  } finally {
    file.close()
  }
}

/** Every recorded variant of which samples have a region is one, and is used by a case of its name. */
function indicatorChecks({ folder, batch }: GoldenSetup): Check[] {
  const file = folder.tensors('inputs.safetensors')
  const names = [...file.tensors.keys()].filter((name) => name.startsWith('gt_mask_indicator'))
  return names.flatMap((name) => {
    const values = Array.from(intsOf(file, name))
    const variant = name.replace(/^gt_mask_indicator_?/, '')
    const used = variant === '' || folder.has(`amc_${variant}.safetensors`) || usedByLosses(folder, variant)
    return [
      values.length === batch.imageCount && values.every((value) => value === 0 || value === 1) ? passed(name) : failed(name, `${JSON.stringify(values)} does not say of ${batch.imageCount} samples which have a region`),
      ...(used ? [] : [failed(name, 'no loss or heatmap is recorded for it')]),
    ]
  })
}

const usedByLosses = (folder: GoldenFolder, variant: string): boolean => folder.has('losses.json') && variant in folder.json<object>('losses.json')
