/** A few values of one or two settings, as runs: every combination, named by its values. */
import { AppError } from '../../../shared/errors.ts'

export interface SweepAxis {
  readonly key: string
  readonly values: readonly unknown[]
}
export interface SweepRun {
  readonly name: string
  readonly overrides: Readonly<Record<string, unknown>>
}

const MOST = 24

/** @throws AppError 'bad-input' for a setting named twice, a value given twice, or more runs than anybody can look at */
export function sweepOf(axes: readonly SweepAxis[]): SweepRun[] {
  const keys = axes.map(({ key }) => key)
  if (new Set(keys).size < keys.length) throw new AppError('bad-input', `The setting ${keys[0]} is swept twice.`, 'Choose another setting for the second.', keys[0])
  for (const { key, values } of axes) {
    if (new Set(values).size < values.length) throw new AppError('bad-input', `A value of ${key} is given twice.`, 'The same settings give the same run: leave one of them out.', key)
  }
  const count = axes.reduce((product, { values }) => product * values.length, 1)
  if (count > MOST) throw new AppError('bad-input', `These values make ${count} runs.`, `A sweep has at most ${MOST} runs: take fewer values.`, keys[0])
  const last = keys.map((key) => key.split('.').at(-1)!)
  const short = new Set(last).size === last.length
  return combinations(axes).map((values) => ({
    name: values.map((value, i) => `${short ? last[i] : keys[i]} ${shown(value)}`).join(', '),
    overrides: Object.fromEntries(values.map((value, i) => [keys[i], value])),
  }))
}

function combinations(axes: readonly SweepAxis[]): unknown[][] {
  return axes.reduce<unknown[][]>((rows, { values }) => rows.flatMap((row) => values.map((value) => [...row, value])), [[]])
}

/** As people write rates: 1e-5, not 0.00001. */
function shown(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return typeof value === 'number' && value !== 0 && Math.abs(value) < 0.001 ? value.toExponential() : String(value)
}
