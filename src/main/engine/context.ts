/** What every feature is given: the project, its database, jobs, events and the two compute processes. Types only. */
import type { InferContractRouterInputs, InferContractRouterOutputs } from '@orpc/contract'
import type { Contract } from '../../shared/contract/contract.ts'
import type { Job } from '../../shared/domain.ts'
import type { Compute } from '../compute/client.ts'
import type { Db } from '../store/db.ts'
import type { Project } from '../store/project.ts'
import type { Events } from './events.ts'
import type { Jobs } from './jobs.ts'
import type { Turns } from './turns.ts'

export interface EngineContext {
  readonly project: Project
  readonly db: Db
  readonly jobs: Jobs
  readonly events: Events
  /** Of writes of regions. */
  readonly turns: Turns
  /** Heatmaps on screen. */
  readonly interactive: Compute
  /** One training or scoring job at a time. */
  readonly worker: Compute
  /** The program's own folder, which holds configs/ and resources/. */
  readonly programDir: string
  readonly version: string
  /** Makes the demo dataset and imports it; the job that does so already, if there is one. */
  makeDemo(): Job
  /** Who edits: the setting of this project, or the name of the user of the system. */
  author(): string
}

type Inputs = InferContractRouterInputs<Contract>
type Outputs = InferContractRouterOutputs<Contract>
export interface CallInfo {
  readonly signal?: AbortSignal | undefined
}
/** A feature's procedures as plain functions: the server wraps them, the command line and tests call them directly. */
export type Handlers<F extends keyof Contract> = {
  readonly [P in keyof Contract[F]]: P extends keyof Inputs[F] & keyof Outputs[F] ? (input: Inputs[F][P], call?: CallInfo) => Outputs[F][P] | Promise<Outputs[F][P]> : never
}
