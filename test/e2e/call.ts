/** Calls the engine as the page does, over its WebSocket with the token: to prepare what a story needs and to ask what it holds. */
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/websocket'
import type { ContractRouterClient } from '@orpc/contract'
import { WebSocket } from 'ws'
import type { Contract } from '../../src/shared/contract/contract.ts'
import type { Job, Run } from '../../src/shared/domain.ts'

export type EngineClient = ContractRouterClient<Contract> & {
  /** The job's last state, when it has ended well; throws what it failed with. */
  readonly ended: (jobId: string) => Promise<Job>
  readonly runEnded: (runId: string) => Promise<Run>
  readonly close: () => void
}

const LOOK_EVERY_MS = 250

export function callEngine({ url, token }: { readonly url: string; readonly token: string }): EngineClient {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/rpc`, { headers: { authorization: `Bearer ${token}` } })
  const client = createORPCClient<ContractRouterClient<Contract>>(new RPCLink({ websocket: socket as never }))
  const wait = () => new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  return new Proxy({} as EngineClient, {
    get: (_, name) => {
      if (name === 'close') return () => socket.close()
      if (name === 'ended') {
        return async (jobId: string) => {
          for (;;) {
            const job = (await client.jobs.list({})).find((one) => one.id === jobId)
            if (job?.state === 'done') return job
            if (job?.state === 'failed' || job?.state === 'cancelled') throw new Error(job.error?.message ?? `${job.title} was ${job.state}`)
            await wait()
          }
        }
      }
      if (name === 'runEnded') {
        return async (runId: string) => {
          for (;;) {
            const run = await client.runs.get({ id: runId })
            if (run.state === 'finished' || run.state === 'stopped') return run
            if (run.state === 'failed') throw new Error(run.error?.message ?? 'the run failed')
            await wait()
          }
        }
      }
      return (client as unknown as Record<string | symbol, unknown>)[name]
    },
  })
}
