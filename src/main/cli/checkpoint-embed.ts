import { resolve } from 'node:path'
import { AppError } from '../../shared/errors.ts'
import type { Command } from './command.ts'

/** What the published sentence models are used with. */
const USUAL_TOKENS = 256

export const checkpointEmbedCommand: Command = {
  name: 'checkpoint embed',
  summary: 'Encode sentences with the BERT of a Hugging Face folder, to check that its weights are read right.',
  positionals: ['FOLDER'],
  options: {
    text: { type: 'string', value: 'TEXT', help: 'A sentence.', required: true, multiple: true },
    'max-tokens': { type: 'string', value: 'N', help: `Longest sentence in word pieces, [CLS] and [SEP] included. Usually ${USUAL_TOKENS}.` },
  },
  details: `FOLDER holds config.json, vocab.txt and weights. All layers run, tokens are averaged, rows have length one: the sentence embeddings of models such as all-MiniLM-L6-v2.
Result: {width, sentences: [{text, tokens, embedding: number[]}]}.`,
  run: async (input) => {
    const { openBertFolder } = await import('../checkpoints/hf/sentences.ts')
    const { createTokenizer } = await import('../model/tokenizer.ts')
    const { createSentenceEncoder } = await import('../model/sentence.ts')
    const { setTf } = await import('../model/tf.ts')
    const { loadBackend } = await import('../compute/backend.ts')
    const folder = await openBertFolder(resolve(input.positionals[0]!))
    try {
      const longest = Math.min(input.integer('max-tokens', { min: 3 }) ?? USUAL_TOKENS, folder.sizes.maxPositions)
      if (folder.vocabulary.length > folder.sizes.vocabSize) throw new AppError('bad-input', `vocab.txt has ${folder.vocabulary.length} words, and the model knows ${folder.sizes.vocabSize}.`, 'Fetch the folder again.')
      setTf((await loadBackend()).tf)
      const tokenizer = createTokenizer(folder.vocabulary)
      const encoder = createSentenceEncoder(folder.sizes, folder.tensors, tokenizer, longest)
      const texts = input.all('text')
      const rows = encoder.encode(texts)
      encoder.dispose()
      const sentences = texts.map((text, i) => ({ text, tokens: ['[CLS]', ...tokenizer.tokenize(text).slice(0, longest - 2), '[SEP]'], embedding: Array.from(rows[i]!) }))
      return {
        json: { width: folder.sizes.width, sentences },
        lines: sentences.map(({ text, tokens, embedding }) => `${text}  (${tokens.length} tokens)  ${embedding.slice(0, 6).map((value) => value.toFixed(4)).join(' ')} …`),
      }
    } finally {
      folder.close()
    }
  },
}
