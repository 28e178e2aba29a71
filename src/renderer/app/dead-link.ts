/** What an address names that is not there. The screens choose something else then; the person who followed the link is told. */
import { parseHash, SCREENS } from './routes.ts'

type Kind = 'screen' | 'run' | 'checkpoint' | 'dataset'
export interface Named {
  readonly kind: Kind
  readonly id: string
}

/** Which parameter of a screen names what. */
const NAMES: Readonly<Record<string, Readonly<Record<string, Exclude<Kind, 'screen'>>>>> = {
  library: { dataset: 'dataset' },
  curate: { dataset: 'dataset', checkpoint: 'checkpoint' },
  train: { run: 'run', dataset: 'dataset', start: 'checkpoint' },
  checkpoints: { id: 'checkpoint' },
  compare: { dataset: 'dataset', a: 'checkpoint', b: 'checkpoint', c: 'checkpoint', d: 'checkpoint' },
}

/** An empty hash is a plain opening and names nothing. */
export function namedBy(hash: string): readonly Named[] {
  const path = hash.replace(/^#\/?/, '').split('?', 1)[0]!
  if (path !== '' && !(SCREENS as readonly string[]).includes(path)) return [{ kind: 'screen', id: path }]
  const { screen, params } = parseHash(hash)
  return Object.entries(NAMES[screen] ?? {}).flatMap(([param, kind]) => (params[param] ? [{ kind, id: params[param] }] : []))
}

/** A memory of what was there: what is removed while it is shown is no dead link. */
export function createDeadLinks(): (hash: string, ids: Readonly<Record<Exclude<Kind, 'screen'>, readonly string[]>>) => readonly Named[] {
  const met = new Set<string>()
  return (hash, ids) => namedBy(hash).filter(({ kind, id }) => {
    const isNew = !met.has(`${kind} ${id}`)
    met.add(`${kind} ${id}`)
    return isNew && (kind === 'screen' || !ids[kind].includes(id))
  })
}
