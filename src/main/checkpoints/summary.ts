/** What is said of a tensor without showing all of it: sum, first values, and whether they are numbers at all. */
import { type HostArray, type TensorEntry, TORCH_NAME } from './tensor-file.ts'

const FIRST = 6

export interface TensorSummary {
  readonly name: string
  /** As PyTorch calls it. */
  readonly dtype: string
  readonly shape: readonly number[]
  /** In float64; 'nan', 'inf' or '-inf' where it is no number. */
  readonly sum: number | string
  /** The first six values in row-major order; what JSON has no number for is a word. */
  readonly first: readonly (number | string)[]
  /** Values that are NaN or infinite. */
  readonly notFinite: number
}

export function summarise(entry: TensorEntry): TensorSummary {
  const first: (number | string)[] = []
  const add = createSum()
  for (const data of entry.stretches()) {
    for (let i = 0; i < data.length && first.length < FIRST; i++) first.push(shown(data[i]!))
    add.all(data)
  }
  const { sum, notFinite } = add.result()
  return { name: entry.name, dtype: TORCH_NAME[entry.dtype], shape: entry.shape, sum: shown(sum), first, notFinite }
}

/** Neumaier's sum: the error of each addition is kept, so that the order of values hardly matters. Integers of 64 bits are exact. */
function createSum(): { all(data: HostArray): void; result(): { sum: number; notFinite: number } } {
  let [sum, lost, plain, notFinite, whole] = [0, 0, 0, 0, 0n]
  return {
    all: (data) => {
      if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
        for (const value of data) whole += value
        return
      }
      for (let i = 0; i < data.length; i++) {
        const value = data[i]!
        if (!Number.isFinite(value)) {
          notFinite++
          plain += value
          continue
        }
        const next = sum + value
        lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum
        sum = next
      }
    },
    result: () => ({ sum: notFinite > 0 ? plain : sum + lost + Number(whole), notFinite }),
  }
}

function shown(value: number | bigint): number | string {
  if (typeof value === 'bigint') return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)
  if (Number.isFinite(value)) return value
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'
}
