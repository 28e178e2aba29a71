/** Simplified Chinese, a file for each part of the product. */
import compare from './zh-CN.compare.json' with { type: 'json' }
import curate from './zh-CN.curate.json' with { type: 'json' }
import library from './zh-CN.library.json' with { type: 'json' }
import engine from './zh-CN.engine.json' with { type: 'json' }
import type { Catalogue } from './messages.ts'
import shared from './zh-CN.shared.json' with { type: 'json' }
import shell from './zh-CN.shell.json' with { type: 'json' }
import train from './zh-CN.train.json' with { type: 'json' }

export const ZH_CN: Catalogue = { ...shared, ...shell, ...library, ...curate, ...train, ...compare }

/** Sentences of the engine, for engine-text.ts. */
export const ZH_CN_ENGINE: Catalogue = engine
