import { afterEach, describe, expect, it } from 'vitest'
import { beginBulk, type SaveState, saveStateOf, setKeeper, setSaveState, settledAll, statusStore, tellSaved } from './status.ts'

const stands = () => saveStateOf(statusStore.getState()).kind
/** Words that are shown now, and all that ever were. */
function listener() {
  const [shown, said]: [SaveState['kind'][], SaveState['kind'][]] = [[], []]
  const say = ({ kind }: SaveState) => {
    shown.push(kind)
    said.push(kind)
    return () => void shown.splice(shown.indexOf(kind), 1)
  }
  return { shown, said, say }
}

afterEach(() => {
  setKeeper(() => Promise.resolve())
  setSaveState({ kind: 'saved' })
})

describe('whether all is saved', () => {
  it('is told once what stands typed in a field has become an edit, and the edit is saved', async () => {
    let written = (): void => undefined
    setKeeper(() => {
      setSaveState({ kind: 'saving', edits: 1, kept: true })
      return new Promise((resolve) => {
        written = () => (setSaveState({ kind: 'saved' }), resolve())
      })
    })
    const { shown, said, say } = listener()
    const told = tellSaved(say)
    expect(shown).toEqual(['saving'])
    written()
    await told
    expect(shown).toEqual(['saved'])
    expect(said).toEqual(['saving', 'saved'])
  })

  it('is not said of an edit that failed', async () => {
    setKeeper(() => {
      setSaveState({ kind: 'failed', edits: 2, kept: true, message: 'no' })
      return Promise.reject(new Error('no'))
    })
    const { said, say } = listener()
    await tellSaved(say)
    expect(said).toEqual(['failed'])
  })

  it('waits for an edit of many regions too', async () => {
    const end = beginBulk()
    expect(stands()).toBe('saving')
    const { said, say } = listener()
    await tellSaved(say)
    expect(said).toEqual(['saving'])
    let settled = false
    const all = settledAll().then(() => (settled = true))
    await Promise.resolve()
    await Promise.resolve()
    expect(settled).toBe(false)
    end()
    await all
    expect(stands()).toBe('saved')
  })
})
