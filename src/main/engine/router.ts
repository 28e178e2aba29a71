/** The contract filled in: every feature's plain functions become procedures, and every failure becomes the contract's error. */
import { implement, ORPCError } from '@orpc/server'
import { APP_STATUS, contract, type Contract } from '../../shared/contract/contract.ts'
import { toErrorData } from '../../shared/errors.ts'
import { archiveHandlers } from '../features/archive/handlers.ts'
import { checkpointsHandlers } from '../features/checkpoints/handlers.ts'
import { compareHandlers } from '../features/compare/handlers.ts'
import { datasetsHandlers } from '../features/datasets/handlers.ts'
import { heatmapsHandlers } from '../features/heatmaps/handlers.ts'
import { jobsHandlers } from '../features/jobs/handlers.ts'
import { machineHandlers } from '../features/machine/handlers.ts'
import { regionsHandlers } from '../features/regions/handlers.ts'
import { runsHandlers } from '../features/runs/handlers.ts'
import { scoresHandlers } from '../features/scores/handlers.ts'
import { suspectsHandlers } from '../features/suspects/handlers.ts'
import { systemHandlers } from '../features/system/handlers.ts'
import { trustHandlers } from '../features/trust/handlers.ts'
import { viewsHandlers } from '../features/views/handlers.ts'
import type { EngineContext, Handlers } from './context.ts'

export type EngineHandlers = { readonly [F in keyof Contract]: Handlers<F> }

export function createHandlers(context: EngineContext): EngineHandlers {
  return {
    system: systemHandlers(context), datasets: datasetsHandlers(context), regions: regionsHandlers(context), views: viewsHandlers(context),
    heatmaps: heatmapsHandlers(context), checkpoints: checkpointsHandlers(context), runs: runsHandlers(context), scores: scoresHandlers(context),
    compare: compareHandlers(context), jobs: jobsHandlers(context), machine: machineHandlers(context),
    suspects: suspectsHandlers(context), trust: trustHandlers(context), archive: archiveHandlers(context),
  }
}

type PlainHandler = (input: unknown, call: { signal: AbortSignal | undefined }) => unknown
interface Implementable {
  handler(run: (options: { input: unknown; signal?: AbortSignal }) => Promise<unknown>): unknown
}

/** Every procedure of the contract, or it does not start: a missing one is a fault of the program. */
export function createRouter(handlers: EngineHandlers) {
  const builder = implement(contract) as unknown as Record<string, Record<string, Implementable>>
  const router: Record<string, Record<string, unknown>> = {}
  for (const [feature, procedures] of Object.entries(contract)) {
    router[feature] = {}
    for (const name of Object.keys(procedures)) {
      const run = (handlers as unknown as Record<string, Record<string, PlainHandler>>)[feature]?.[name]
      if (!run) throw new Error(`The engine has no ${feature}.${name}.`)
      router[feature][name] = builder[feature]![name]!.handler(async ({ input, signal }) => {
        try {
          return await run(input, { signal })
        } catch (error) {
          throw toContractError(error, `${feature}.${name}`)
        }
      })
    }
  }
  return implement(contract).router(router as never)
}
export type EngineRouter = ReturnType<typeof createRouter>

function toContractError(error: unknown, procedure: string): unknown {
  if (error instanceof ORPCError) return error
  const data = toErrorData(error)
  if (data.code === 'internal') console.error(`${procedure}:`, error)
  return new ORPCError('APP', { defined: true, status: APP_STATUS, message: data.message, data })
}
