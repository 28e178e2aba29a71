/** The engine names its work in English; here are its titles in the language of the page. A title that is not known is shown as it came. */
import type { Job } from './domain.ts'
import { t } from './messages/messages.ts'

type Titled = Pick<Job, 'kind' | 'title'>
type Words = readonly [pattern: RegExp, say: (first: string, second: string) => string]

const TITLES: Partial<Readonly<Record<Job['kind'], readonly Words[]>>> = {
  import: [
    [/^Import (.+)$/s, (name) => t('Import {name}', { name })],
    [/^Update (.+)$/s, (name) => t('Update {name}', { name })],
    [/^Compare (.+)$/s, (name) => t('Compare {name}', { name })],
  ],
  export: [[/^Export (.+)$/s, (name) => t('Export {name}', { name })]],
  score: [
    [/^Score (.+?) with (.+)$/s, (dataset, checkpoint) => t('Score {dataset} with {checkpoint}', { dataset, checkpoint })],
    [/^Rank the suspects of (.+)$/s, (name) => t('Rank the suspects of {name}', { name })],
  ],
  trust: [[/^Test the explanation of (.+?) on (.+)$/s, (checkpoint, dataset) => t('Test the explanation of {checkpoint} on {dataset}', { checkpoint, dataset })]],
  trial: [[/^Measuring three steps$/, () => t('Measuring three steps')]],
  archive: [
    [/^Archive this project$/, () => t('Archive this project')],
    [/^Restore an archive$/, () => t('Restore an archive')],
  ],
  demo: [[/^Make the demo dataset$/, () => t('Make the demo dataset')]],
}

export function jobTitle({ kind, title }: Titled): string {
  for (const [pattern, say] of TITLES[kind] ?? []) {
    const found = pattern.exec(title)
    if (found) return say(found[1] ?? '', found[2] ?? '')
  }
  return title
}
