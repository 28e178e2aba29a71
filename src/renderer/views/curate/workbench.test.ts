import { describe, expect, it, vi } from 'vitest'
import type { Checkpoint, View } from '../../../shared/domain.ts'
import { BUILT_IN, fromSaved, viewFromParams, viewToParams } from './queue-views.ts'
import { freeState } from './use-free-phrase.ts'

// Only the pure parts are asked here; nothing connects.
vi.mock('../../state/engine.ts', () => ({ api: {}, connectionStore: { getState: () => ({ phase: 'connecting', opened: 0 }), subscribe: () => () => undefined } }))
vi.stubGlobal('window', { addEventListener: () => undefined })
const { chooseCheckpoints } = await import('./workbench-parts.ts')

const checkpoint = (id: string, createdAt: string, over: Partial<Checkpoint> = {}): Checkpoint => ({
  id, name: id, origin: 'run', runId: 'run1', step: 100, modelName: 'tiny', parameters: 1, sizeBytes: 1, createdAt, metrics: {}, best: false, ...over,
})

describe('the checkpoints of the screen', () => {
  const shipped = checkpoint('shipped', '2024-01-01', { origin: 'shipped' })
  const first = checkpoint('first', '2024-01-02', { best: true })
  const better = checkpoint('better', '2024-01-03', { best: true })

  it('begin with the best, and stay when a run makes a better one', () => {
    expect(chooseCheckpoints([shipped, first], {}, undefined)[0]).toBe(first)
    expect(chooseCheckpoints([shipped, { ...first, best: false }, better], {}, 'first')[0]!.id).toBe('first')
    expect(chooseCheckpoints([shipped, better], {}, undefined)[0]).toBe(better)
  })

  it('are those of the address first, and another one when the one in use is gone', () => {
    expect(chooseCheckpoints([shipped, first, better], { checkpoint: 'shipped', with: 'better,nobody' }, 'first').map((entry) => entry.id)).toEqual(['shipped', 'better'])
    expect(chooseCheckpoints([shipped, better], {}, 'first')[0]).toBe(better)
  })
})

describe('a free phrase', () => {
  const heat = { heat: {} as never, stale: false, error: null }

  it('may only be used with the heat of itself, to the last letter', () => {
    expect(freeState('', '', heat)).toBe('none')
    expect(freeState('the dog', 'a red car', heat)).toBe('waiting')
    expect(freeState('the dog', '', { ...heat, heat: null })).toBe('waiting')
    expect(freeState('the dog', 'the dog', { ...heat, stale: true })).toBe('waiting')
    expect(freeState('the dog', 'the dog', { ...heat, heat: null })).toBe('waiting')
    expect(freeState('the dog', 'the dog', heat)).toBe('ready')
  })

  it('is given up waiting for when its heat cannot be had', () => {
    expect(freeState('the dog', 'the dog', { heat: null, stale: false, error: new Error('no') })).toBe('failed')
    expect(freeState('the dogs', 'the dog', { heat: null, stale: false, error: new Error('no') })).toBe('waiting')
  })
})

describe('a view in the address', () => {
  const [all, toReview, suspects] = BUILT_IN
  const saved: View = { id: 'v1', name: 'Small', filter: { datasetId: 'd', checkpointId: 'c', tags: ['small'] }, sort: 'phrase', descending: true, count: 3 }
  const back = (view: typeof all, origin: typeof all) => viewFromParams(viewToParams(view!, origin!), [saved])

  it('comes back as it was, chosen or changed', () => {
    for (const origin of [all, toReview, suspects, fromSaved(saved)]) {
      expect(back(origin, origin)).toEqual({ view: origin, origin })
      for (const change of [{ sort: 'random' as const }, { descending: !origin!.descending }, { filter: { splits: ['val'], hit: false } }, { filter: {} }]) {
        const view = { ...origin!, ...change }
        expect(back(view, origin)).toEqual({ view, origin })
      }
    }
  })

  it('is short where nothing was changed', () => {
    expect(viewToParams(all!, all!)).toEqual({ view: null, sort: null, order: null, filter: null })
    expect(viewToParams(suspects!, suspects!)).toEqual({ view: 'suspects', sort: null, order: null, filter: null })
  })

  it('that other screens link to by its order is the built-in one, and what cannot be read is left out', () => {
    expect(viewFromParams({ sort: 'suspect' }, []).origin).toBe(suspects)
    expect(viewFromParams({ view: 'gone', sort: 'no-such', filter: '{"statuses": ["maybe"]}' }, [])).toEqual({ view: all, origin: all })
    expect(viewFromParams({ filter: '{' }, []).view).toEqual(all)
  })
})
