/** A BERT folder with its own tokenizer, ready to be made into an encoder of sentences. */
import { AppError } from '../../../shared/errors.ts'
import { type BertSizes, openHfFolder } from './folder.ts'
import { type NamedTensor, renameBert } from './names.ts'

export interface BertFolder {
  readonly sizes: { readonly width: number; readonly layers: number; readonly heads: number; readonly intermediate: number; readonly vocabSize: number; readonly maxPositions: number }
  readonly tensors: ReadonlyMap<string, NamedTensor>
  readonly vocabulary: readonly string[]
  close(): void
}

/** @throws AppError 'bad-input' when the folder is no BERT or has no vocabulary */
export async function openBertFolder(path: string): Promise<BertFolder> {
  const { sizes, file, vocabulary } = await openHfFolder(path)
  if (sizes.model_type !== 'bert' || !vocabulary) {
    file.close()
    throw new AppError('bad-input', sizes.model_type === 'bert' ? 'This folder has no vocab.txt.' : `This folder is a ${sizes.model_type}, not a BERT.`, 'Name the folder of a BERT with its vocab.txt.', path)
  }
  const bert = sizes as BertSizes
  return {
    sizes: {
      width: bert.hidden_size, layers: bert.num_hidden_layers, heads: bert.num_attention_heads, intermediate: bert.intermediate_size,
      vocabSize: bert.vocab_size, maxPositions: bert.max_position_embeddings,
    },
    tensors: renameBert(file.tensors).tensors,
    vocabulary,
    close: file.close,
  }
}
