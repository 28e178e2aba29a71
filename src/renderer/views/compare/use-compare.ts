/** The state of the screen, which is its address. */
import { useMemo } from 'react'
import { setParams, useRoute } from '../../app/routes.ts'
import { type CompareState, fromParams, toParams } from './address.ts'

export type ChangeState = (change: Partial<CompareState>) => void

export function useCompareState(): { readonly state: CompareState; readonly change: ChangeState } {
  const { params } = useRoute()
  const state = useMemo(() => fromParams(params), [params])
  return { state, change: changeState }
}

/** Without a new entry in the history. */
function changeState(change: Partial<CompareState>): void {
  const query = window.location.hash.split('?', 2)[1] ?? ''
  setParams(toParams({ ...fromParams(Object.fromEntries(new URLSearchParams(query))), ...change }))
}
