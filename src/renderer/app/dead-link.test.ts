import { describe, expect, it } from 'vitest'
import { createDeadLinks, namedBy } from './dead-link.ts'

const ids = { run: ['r1'], checkpoint: ['c1', 'c2'], dataset: ['d1'] }

describe('a link that leads to nothing', () => {
  it('is one to an unknown screen, run, checkpoint or dataset', () => {
    const dead = createDeadLinks()
    expect(dead('#/nonsense', ids)).toEqual([{ kind: 'screen', id: 'nonsense' }])
    expect(dead('#/train?run=99999', ids)).toEqual([{ kind: 'run', id: '99999' }])
    expect(dead('#/compare?a=c1&b=2&dataset=d1', ids)).toEqual([{ kind: 'checkpoint', id: '2' }])
    expect(dead('#/curate?dataset=gone&sort=suspect', ids)).toEqual([{ kind: 'dataset', id: 'gone' }])
  })

  it('is not one that names what is there, nothing, or how a screen looks', () => {
    const dead = createDeadLinks()
    for (const hash of ['', '#', '#/', '#/library', '#/settings', '#/train?run=r1', '#/compare?a=c1&b=c2&order=gain', '#/library?import=open']) expect(dead(hash, ids)).toEqual([])
    expect(namedBy('#/train?run=r1&start=c1')).toEqual([{ kind: 'run', id: 'r1' }, { kind: 'checkpoint', id: 'c1' }])
  })

  it('is told once, and never of what was removed while it was shown', () => {
    const dead = createDeadLinks()
    expect(dead('#/train?run=r9', ids)).toHaveLength(1)
    expect(dead('#/train?run=r9', ids)).toEqual([])
    expect(dead('#/train?run=r1', ids)).toEqual([])
    expect(dead('#/train?run=r1', { ...ids, run: [] })).toEqual([])
  })
})
