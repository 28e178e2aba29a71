import { expect, test } from 'vitest'
import { Disconnected, engine, log, region, settle } from '../../../../test/support/edit-log-host.ts'
import { createKeeper, hasKept, type Storage } from './kept-edits.ts'

function memory(): Storage {
  const held = new Map<string, string>()
  return {
    get length() {
      return held.size
    },
    key: (i) => [...held.keys()][i] ?? null, getItem: (key) => held.get(key) ?? null, setItem: (key, value) => void held.set(key, value), removeItem: (key) => void held.delete(key),
  }
}

/** A page: an edit log whose pending edits are kept as they change. */
function page(host: ReturnType<typeof engine>, storage: Storage, id: string, project = '/p') {
  const edits = log(host)
  const keeper = createKeeper(storage, id)
  keeper.setProject(project)
  edits.store.subscribe(({ pending }) => void keeper.keep(pending))
  return { edits, keeper }
}

/** The engine never answers the next calls of this page. */
function killed(host: ReturnType<typeof engine>, storage: Storage) {
  const first = page(host, storage, 'one')
  const away = host.hold()
  first.edits.edit('Phrase', 'i1', [{ regionId: 'r1', after: { phrase: 'mine' } }])
  first.edits.edit('Accepted', 'i1', [{ regionId: 'r1', after: { status: 'accepted' } }])
  return { first, away }
}

test('edits that were not acknowledged are kept when the page goes away, and the next page sends them in order', async () => {
  const [gone, storage] = [engine([region('r1')]), memory()]
  killed(gone, storage)
  expect(hasKept(storage)).toBe(true)
  const host = engine([region('r1')])
  const next = page(host, storage, 'two')
  const left = next.keeper.left()
  expect(left.map((edit) => edit.label)).toEqual(['Phrase', 'Accepted'])
  next.edits.restore(left)
  next.keeper.takeOver()
  await settle(next.edits)
  expect(host.held.get('r1')).toMatchObject({ phrase: 'mine', status: 'accepted' })
  expect(host.calls.map((call) => call.editId)).toEqual(left.map((edit) => edit.editId))
  expect(hasKept(storage), 'acknowledged, and no longer kept').toBe(false)
})

test('one that the engine had written already is not written twice', async () => {
  const [host, storage] = [engine([region('r1')]), memory()]
  const first = page(host, storage, 'one')
  host.faults.push(new Disconnected('after'))
  first.edits.edit('Phrase', 'i1', [{ regionId: 'r1', after: { phrase: 'mine' } }])
  const left = createKeeper(storage, 'two')
  left.setProject('/p')
  const kept = left.left()
  await settle(first.edits)
  const next = page(host, storage, 'three')
  next.edits.restore(kept)
  await settle(next.edits)
  expect(host.held.get('r1')).toMatchObject({ phrase: 'mine', revision: 4 })
  expect(next.edits.store.getState().pending).toEqual([])
})

test('one that meets a newer change is a conflict, shown and never written over it', async () => {
  const storage = memory()
  killed(engine([region('r1')]), storage)
  const host = engine([region('r1')])
  host.elsewhere('r1', { phrase: 'theirs' })
  const next = page(host, storage, 'two')
  next.edits.restore(next.keeper.left())
  await settle(next.edits)
  for (let i = 0; i < 20; i++) await Promise.resolve()
  expect(next.edits.store.getState().pending[0]).toMatchObject({ state: 'failed', error: { code: 'conflict' } })
  expect(next.edits.region('i1', 'r1')!.phrase).toBe('mine')
  expect(host.held.get('r1')!.phrase).toBe('theirs')
})

test('edits of another project stay where they are', () => {
  const storage = memory()
  killed(engine([region('r1')]), storage)
  const other = createKeeper(storage, 'two')
  other.setProject('/p2')
  expect(other.left()).toEqual([])
  other.takeOver()
  expect(hasKept(storage)).toBe(true)
})

test('it says so when the browser cannot keep them', () => {
  const storage: Storage = { ...memory(), setItem: () => { throw new Error('full') } }
  const keeper = createKeeper(storage, 'one')
  const { edits } = killed(engine([region('r1')]), memory()).first
  const { pending } = edits.store.getState()
  expect(keeper.keep(pending), 'no project yet').toBe(false)
  keeper.setProject('/p')
  expect(keeper.keep(pending)).toBe(false)
  expect(keeper.keep([])).toBe(true)
})
