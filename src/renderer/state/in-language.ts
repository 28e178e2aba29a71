/** What the engine says of its work, in the language of the page. Names that people gave are left alone. */
import type { Job, Run } from '../../shared/domain.ts'
import { jobTitle } from '../../shared/job-words.ts'
import { engineText } from '../../shared/messages/engine-text.ts'

export function jobsInLanguage(jobs: readonly Job[]): readonly Job[] {
  return jobs.map((job) => ({ ...withError(job), title: jobTitle(job), message: engineText(job.message) }))
}

export function runsInLanguage(runs: readonly Run[]): readonly Run[] {
  return runs.map(withError)
}

export function presetsInLanguage<T extends { readonly title: string; readonly summary: string }>(presets: readonly T[]): readonly T[] {
  return presets.map((preset) => ({ ...preset, title: engineText(preset.title), summary: engineText(preset.summary) }))
}

function withError<T extends Job | Run>(one: T): T {
  return one.error ? { ...one, error: { ...one.error, message: engineText(one.error.message), cure: engineText(one.error.cure) } } : one
}
