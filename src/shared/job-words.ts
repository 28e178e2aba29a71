/** The engine names its work in English; here are the titles in the language of the page that are too short to be known by their shape alone. */
import type { Job } from './domain.ts'
import { engineText } from './messages/engine-text.ts'
import { t } from './messages/messages.ts'

type Titled = Pick<Job, 'kind' | 'title'>
type Words = readonly [pattern: RegExp, say: (name: string) => string]

const TITLES: Partial<Readonly<Record<Job['kind'], readonly Words[]>>> = {
  import: [
    [/^Import (.+)$/s, (name) => t('Import {name}', { name })],
    [/^Update (.+)$/s, (name) => t('Update {name}', { name })],
    [/^Compare (.+)$/s, (name) => t('Compare {name}', { name })],
  ],
  export: [[/^Export (.+)$/s, (name) => t('Export {name}', { name })]],
  archive: [
    [/^Archive this project$/, () => t('Archive this project')],
    [/^Restore an archive$/, () => t('Restore an archive')],
  ],
}

export function jobTitle({ kind, title }: Titled): string {
  for (const [pattern, say] of TITLES[kind] ?? []) {
    const found = pattern.exec(title)
    if (found) return say(found[1] ?? '')
  }
  // A run has the name that a person gave it.
  return kind === 'train' ? title : engineText(title)
}
