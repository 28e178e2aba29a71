/**
 * The curriculum: what a step of a run looks at and which losses are on. Either by kind (close-ups first, then scenes) or by
 * views of the dataset, each shown for its part of the run.
 */
import type { RunConfig } from '../../shared/config/run-config.ts'
import { AppError } from '../../shared/errors.ts'

/** A named part of the training images: all, by kind, or a stage of curriculum.views. */
export type Pool = 'all' | 'close-ups' | 'scenes' | `view-${number}`

export interface ViewStage {
  /** Name of a view, or * for everything. */
  readonly view: string
  /** Part of the run, in (0, 1]; all stages together make 1. */
  readonly share: number
}

export const EVERYTHING = '*'
const VIEWS_KEY = 'curriculum.views'
const FORM = 'Write it as "Easy ones 0.3; * 0.7": names of views, each with its part of the run, between semicolons.'

/**
 * The stages that curriculum.views names; parts that do not add up to 1 are taken in proportion.
 * @throws AppError 'bad-input' that names the stage which cannot be read
 */
export function viewStages(text: string): ViewStage[] {
  const written = text.split(';').map((part) => part.trim()).filter((part) => part !== '')
  const stages = written.map((part) => {
    const [, view, share] = /^(.*\S)\s+(\d*\.?\d+)$/.exec(part) ?? []
    if (!view || !(Number(share) > 0)) throw new AppError('bad-input', `The stage "${part}" of ${VIEWS_KEY} does not end with its part of the run.`, FORM, VIEWS_KEY)
    return { view, share: Number(share) }
  })
  const sum = stages.reduce((total, { share }) => total + share, 0)
  return stages.map(({ view, share }) => ({ view, share: share / sum }))
}

export interface Stage {
  readonly pool: Pool
  readonly contrastOnly: boolean
  /** Share of ITM negatives drawn by similarity. */
  readonly hardNegatives: number
}

/**
 * The stage of a run of which `share` is already done, in [0, 1).
 * @param has whether the dataset has images of a pool
 */
export function stageAt(config: RunConfig, views: readonly ViewStage[], share: number, has: (pool: Pool) => boolean): Stage {
  const { contrastOnly, uniformNegatives, hardNegatives } = config.curriculum
  return {
    pool: views.length > 0 ? viewAt(views, share) : poolByKind(config, share, has),
    contrastOnly: share < contrastOnly,
    hardNegatives: share < uniformNegatives ? 0 : hardNegatives,
  }
}

function poolByKind({ curriculum: { closeUps } }: RunConfig, share: number, has: (pool: Pool) => boolean): Pool {
  const staged = closeUps > 0 && has('close-ups') && has('scenes')
  return !staged ? 'all' : share < closeUps ? 'close-ups' : 'scenes'
}

/** Sums of parts such as 0.1 + 0.2 are off by about this. */
const ROUNDING = 1e-12

export function poolOfStage({ view }: ViewStage, index: number): Pool {
  return view === EVERYTHING ? 'all' : `view-${index}`
}

function viewAt(views: readonly ViewStage[], share: number): Pool {
  let index = 0
  for (let end = views[0]!.share; index < views.length - 1 && share >= end - ROUNDING; end += views[index]!.share) index++
  return poolOfStage(views[index]!, index)
}

/** What there is to train on. */
export interface TrainingSize {
  readonly images: number
  readonly regions: number
}

/** Optimizer steps that see every training image (or region, by data.epoch) once: whole batches only, as the published loader (drop_last). */
export function stepsPerEpoch({ batch, data }: RunConfig, { images, regions }: TrainingSize): number {
  return Math.max(1, Math.floor((data.epoch === 'regions' ? regions : images) / (batch.images * batch.accumulate)))
}

/** Optimizer steps of a whole run. */
export function totalSteps(config: RunConfig, size: TrainingSize): number {
  return config.steps > 0 ? config.steps : Math.max(1, Math.round(config.epochs * stepsPerEpoch(config, size)))
}
