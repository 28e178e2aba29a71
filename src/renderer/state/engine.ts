/**
 * The page's one connection to the engine: typed calls over a WebSocket on the same origin, reached again by itself when it
 * breaks. A call made while the engine is away waits a moment for it; one that was under way when the connection broke fails
 * with DisconnectedError, because whether it took effect is not known.
 */
import { createORPCClient, type ClientContext, type ClientLink } from '@orpc/client'
import { RPCLink } from '@orpc/client/websocket'
import type { ContractRouterClient } from '@orpc/contract'
import { createStore } from 'zustand/vanilla'
import { useStore } from 'zustand'
import type { Contract } from '../../shared/contract/contract.ts'
import { DisconnectedError } from './errors.ts'

export interface ConnectionState {
  /** 'refused': the engine is there but does not know this page (its key is from an earlier start). */
  readonly phase: 'connecting' | 'open' | 'reconnecting' | 'refused'
  /** Counts the times a connection was opened, so that what was missed can be fetched. */
  readonly opened: number
}

export const connectionStore = createStore<ConnectionState>(() => ({ phase: 'connecting', opened: 0 }))
export function useConnection(): ConnectionState {
  return useStore(connectionStore)
}

const WAIT_FOR_ENGINE_MS = 15_000
const FIRST_RETRY_MS = 150
const LAST_RETRY_MS = 3_000

let socket: WebSocket | null = null
let link: RPCLink<ClientContext> | null = null
let retryMs = FIRST_RETRY_MS
let waiting: Array<(ok: boolean) => void> = []

function connect(): void {
  const url = `${window.location.protocol === 'https:' ? 'wss:' : 'ws:'}//${window.location.host}/rpc`
  const fresh = new WebSocket(url)
  let wasOpen = false
  socket = fresh
  link = new RPCLink({ websocket: fresh })
  fresh.addEventListener('open', () => {
    wasOpen = true
    retryMs = FIRST_RETRY_MS
    connectionStore.setState(({ opened }) => ({ phase: 'open', opened: opened + 1 }))
    settle(true)
  })
  fresh.addEventListener('close', () => {
    if (socket !== fresh) return
    socket = null
    link = null
    if (!wasOpen) void checkRefused()
    connectionStore.setState(({ opened, phase }) => ({ phase: phase === 'refused' ? phase : opened > 0 ? 'reconnecting' : 'connecting' }))
    window.setTimeout(connect, retryMs)
    retryMs = Math.min(LAST_RETRY_MS, retryMs * 2)
  })
}

/**
 * A refused WebSocket says nothing of why. The engine's plain pages do: 401 and 403 mean that this page's key is not the engine's.
 * @returns false while the engine refuses this page, or nobody is there. The connection itself is tried again all the time.
 */
export async function checkRefused(): Promise<boolean> {
  try {
    const answer = await fetch('/', { credentials: 'same-origin', cache: 'no-store' })
    const refused = answer.status === 401 || answer.status === 403
    if (refused) {
      connectionStore.setState({ phase: 'refused' })
      settle(false)
    }
    return !refused
  } catch {
    return false // Nobody there: the next attempt will tell.
  }
}

function settle(ok: boolean): void {
  const list = waiting
  waiting = []
  for (const resume of list) resume(ok)
}

async function openLink(): Promise<{ link: RPCLink<ClientContext>; socket: WebSocket }> {
  if (!(link && socket && socket.readyState === WebSocket.OPEN)) {
    const ok = await new Promise<boolean>((resolve) => {
      const timer = window.setTimeout(() => resolve(false), WAIT_FOR_ENGINE_MS)
      waiting.push((value) => {
        window.clearTimeout(timer)
        resolve(value)
      })
    })
    if (!ok || !link || !socket) throw new DisconnectedError()
  }
  return { link, socket }
}

const lasting: ClientLink<ClientContext> = {
  async call(path, input, options) {
    const current = await openLink()
    try {
      return await current.link.call(path, input, options)
    } catch (error) {
      if (current.socket.readyState !== WebSocket.OPEN && !options.signal?.aborted) throw new DisconnectedError()
      throw error
    }
  },
}

export type Api = ContractRouterClient<Contract>
export const api: Api = createORPCClient(lasting)

let started = false
/** Begins to connect; once a page. */
export function startEngine(): void {
  if (started) return
  started = true
  connect()
}
