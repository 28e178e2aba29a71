/**
 * A pickle reader that executes nothing. A pickle is a program; this one knows the instructions that build plain data and
 * asks `allowed` about every name the pickle mentions. What is not on that list is refused by name.
 * Dictionaries become Maps, tuples PyTuple, sets Sets, large integers bigints, None null.
 */
import { AppError } from '../../shared/errors.ts'

export class PyTuple {
  readonly items: readonly unknown[]
  constructor(items: readonly unknown[]) {
    this.items = items
  }
}

/** A Python float, told apart from an int only when asked for (`exactFloats`): what is written back must stay what it was. */
export class PyFloat {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

/** collections.OrderedDict: a Map that is written back as one. */
export class PyOrderedDict extends Map<unknown, unknown> {}

/** An object whose attributes are plain data, such as argparse.Namespace: its state fills the Map. */
export class PyAttributes extends Map<unknown, unknown> {}

/** A name in a pickle that is allowed: what it stands for when it is called with arguments, or as a value. */
export interface PyGlobal {
  readonly name: string
  call?(args: readonly unknown[]): unknown
}

export interface PickleOptions {
  /** Named in errors. */
  readonly place: string
  /** Returns what an allowed name stands for, or null to refuse it. */
  allowed(name: string): PyGlobal | null
  persistentLoad?(id: unknown): unknown
  /** Floats become PyFloat instead of numbers. */
  readonly exactFloats?: boolean
  /** Most values to make: a damaged or hostile pickle may ask for far more than its own size. Absent: no limit. */
  readonly maxValues?: number
}

const MARK = Symbol('mark')
const MAX_DEPTH = 1_000_000
/** Python's own integers in checkpoints have 64 bits; magic numbers have 80. */
const MAX_INTEGER_BYTES = 1024

export interface Unpickled {
  readonly value: unknown
  /** Offset of the first byte after the pickle: several may follow one another. */
  readonly end: number
}

/** @throws AppError 'bad-input' for a damaged pickle and 'forbidden' for a name that is not allowed. */
export function readPickle(bytes: Uint8Array, start: number, options: PickleOptions): Unpickled {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const stack: unknown[] = []
  const memo = new Map<number, unknown>()
  let at = start
  const damaged = (what: string) => new AppError('bad-input', `The pickle of ${options.place} is damaged: ${what} (byte ${at}).`, 'Fetch the file again.', options.place)
  const need = (count: number): number => {
    if (count < 0 || at + count > bytes.length) throw damaged('it ends early')
    const from = at
    at += count
    return from
  }
  const u8 = () => bytes[need(1)]!
  const u16 = () => view.getUint16(need(2), true)
  const u32 = () => view.getUint32(need(4), true)
  const size8 = () => {
    const value = view.getBigUint64(need(8), true)
    if (value > BigInt(bytes.length)) throw damaged('a length is larger than the file')
    return Number(value)
  }
  const text = (length: number) => {
    const from = need(length)
    return Buffer.from(bytes.buffer, bytes.byteOffset + from, length).toString('utf8')
  }
  const line = () => {
    const end = bytes.indexOf(10, at)
    if (end < 0) throw damaged('a line does not end')
    const value = text(end - at)
    at = end + 1
    return value
  }
  let values = 0
  const charge = (count: number) => {
    values += count
    if (options.maxValues !== undefined && values > options.maxValues) throw damaged('it makes more values than any checkpoint holds')
  }
  const push = (value: unknown) => {
    charge(1)
    if (stack.length >= MAX_DEPTH) throw damaged('it nests too deeply')
    stack.push(value)
  }
  const pop = (): unknown => {
    if (stack.length === 0) throw damaged('it takes a value that is not there')
    const value = stack.pop()
    if (value === MARK) throw damaged('a mark stands where a value should be')
    return value
  }
  const popMark = (): unknown[] => {
    const mark = stack.lastIndexOf(MARK)
    if (mark < 0) throw damaged('a mark is missing')
    const items = stack.splice(mark)
    items.shift()
    return items
  }
  const top = <T>(check: (value: unknown) => value is T, what: string): T => {
    const value = stack.at(-1)
    if (!check(value)) throw damaged(`${what} is expected`)
    return value
  }
  const isList = (value: unknown): value is unknown[] => Array.isArray(value)
  const isMap = (value: unknown): value is Map<unknown, unknown> => value instanceof Map
  const isSet = (value: unknown): value is Set<unknown> => value instanceof Set
  const fill = (map: Map<unknown, unknown>, items: readonly unknown[]) => {
    if (items.length % 2) throw damaged('a key has no value')
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1])
  }
  const recall = (index: number) => {
    if (!memo.has(index)) throw damaged('it refers to something it has not defined')
    push(memo.get(index))
  }
  const find = (module: string, name: string) => {
    const full = `${module}.${name}`
    const known = options.allowed(full)
    if (!known) {
      throw new AppError('forbidden', `${options.place} names ${full}, which is not on the list of harmless names. Nothing of it was run.`, 'Save the weights alone (a state dict), or as safetensors.', options.place)
    }
    return known
  }
  const call = (callee: unknown, args: unknown) => {
    const global = callee as PyGlobal | null
    if (!global || typeof global !== 'object' || typeof global.call !== 'function' || !(args instanceof PyTuple)) throw damaged('something is called that cannot be')
    // A call may copy its argument, and the same one can be given again for three bytes.
    const first = args.items[0]
    charge(Array.isArray(first) ? first.length : typeof first === 'string' ? first.length >> 4 : 1)
    return global.call(args.items)
  }
  const build = (state: unknown) => {
    if (!isMap(state) && !(state instanceof PyTuple)) throw damaged('the state of an object is not plain data')
    // Other objects are plain data already; their state adds attributes such as OrderedDict's, which hold no values of ours.
    const target = stack.at(-1)
    if (target instanceof PyAttributes && isMap(state)) for (const [key, value] of state) target.set(key, value)
  }

  for (;;) {
    const op = u8()
    switch (op) {
      case 0x80: // PROTO
        if (u8() > 5) throw damaged('its protocol is newer than 5')
        break
      case 0x95: // FRAME
        size8()
        break
      case 0x2e: { // STOP
        const value = pop()
        if (stack.length > 0) throw damaged('values are left over')
        return { value, end: at }
      }
      case 0x28: push(MARK); break
      case 0x30: stack.pop(); break // POP, of a mark too
      case 0x31: popMark(); break // POP_MARK
      case 0x32: { const value = pop(); push(value); push(value); break } // DUP
      case 0x4e: push(null); break
      case 0x88: push(true); break
      case 0x89: push(false); break
      case 0x4a: push(view.getInt32(need(4), true)); break // BININT
      case 0x4b: push(u8()); break
      case 0x4d: push(u16()); break
      case 0x49: { // INT
        const value = line()
        push(value === '01' ? true : value === '00' ? false : toNumber(parseInteger(value, damaged)))
        break
      }
      case 0x4c: push(toNumber(parseInteger(line().replace(/L$/, ''), damaged))); break // LONG
      case 0x8a: push(readLong(u8())); break
      case 0x8b: push(readLong(view.getInt32(need(4), true))); break
      case 0x46: push(float(Number(line()))); break // FLOAT
      case 0x47: push(float(view.getFloat64(need(8), false))); break // BINFLOAT
      case 0x58: push(text(u32())); break // BINUNICODE
      case 0x8c: push(text(u8())); break
      case 0x8d: push(text(size8())); break
      case 0x56: push(unescapeUnicode(line())); break // UNICODE
      case 0x55: push(text(u8())); break // SHORT_BINSTRING
      case 0x54: push(text(u32())); break // BINSTRING
      case 0x53: push(line().replace(/^(['"])(.*)\1$/s, '$2')); break // STRING
      case 0x42: push(copyBytes(u32())); break // BINBYTES
      case 0x43: push(copyBytes(u8())); break
      case 0x8e: push(copyBytes(size8())); break
      case 0x96: push(copyBytes(size8())); break // BYTEARRAY8
      case 0x29: push(new PyTuple([])); break
      case 0x85: push(new PyTuple([pop()])); break
      case 0x86: { const b = pop(); push(new PyTuple([pop(), b])); break }
      case 0x87: { const c = pop(); const b = pop(); push(new PyTuple([pop(), b, c])); break }
      case 0x74: push(new PyTuple(popMark())); break
      case 0x5d: push([]); break
      case 0x6c: push(popMark()); break
      case 0x61: { const value = pop(); top(isList, 'a list').push(value); break }
      case 0x65: { const items = popMark(); const list = top(isList, 'a list'); for (const item of items) list.push(item); break }
      case 0x7d: push(new Map()); break
      case 0x64: { const map = new Map(); fill(map, popMark()); push(map); break }
      case 0x73: { const value = pop(); const key = pop(); top(isMap, 'a dictionary').set(key, value); break }
      case 0x75: { const items = popMark(); fill(top(isMap, 'a dictionary'), items); break }
      case 0x8f: push(new Set()); break
      case 0x90: { const items = popMark(); const set = top(isSet, 'a set'); for (const item of items) set.add(item); break }
      case 0x91: push(new Set(popMark())); break
      case 0x71: remember(u8()); break // BINPUT
      case 0x72: remember(u32()); break
      case 0x70: remember(Number(line())); break
      case 0x94: remember(memo.size); break // MEMOIZE
      case 0x68: recall(u8()); break
      case 0x6a: recall(u32()); break
      case 0x67: recall(Number(line())); break
      case 0x63: { const module = line(); push(find(module, line())); break } // GLOBAL
      case 0x93: { const name = pop(); const module = pop(); 
        if (typeof module !== 'string' || typeof name !== 'string') throw damaged('a name is not a text')
        push(find(module, name))
        break
      }
      case 0x52: { const args = pop(); push(call(pop(), args)); break } // REDUCE
      case 0x81: { const args = pop(); push(call(pop(), args)); break } // NEWOBJ
      case 0x62: build(pop()); break
      case 0x51: push(persistent(pop())); break // BINPERSID
      case 0x50: push(persistent(line())); break
      default:
        at--
        throw damaged(`the instruction 0x${op.toString(16)} is unknown or not allowed`)
    }
  }

  function remember(index: number): void {
    const value = stack.at(-1)
    if (value === MARK || stack.length === 0) throw damaged('it keeps a value that is not there')
    charge(1)
    memo.set(index, value)
  }

  function float(value: number): number | PyFloat {
    return options.exactFloats ? new PyFloat(value) : value
  }

  function persistent(id: unknown): unknown {
    if (!options.persistentLoad) throw damaged('it refers to data outside itself')
    return options.persistentLoad(id)
  }

  function copyBytes(length: number): Uint8Array {
    const from = need(length)
    return bytes.slice(from, from + length)
  }

  function readLong(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES) throw damaged('an integer is longer than any checkpoint holds')
    const from = need(length)
    let value = 0n
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[from + i]!)
    if (length > 0 && bytes[from + length - 1]! & 0x80) value -= 1n << BigInt(8 * length)
    return toNumber(value)
  }
}

function toNumber(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function parseInteger(value: string, damaged: (what: string) => AppError): bigint {
  if (!/^\s*-?\d{1,2500}\s*$/.test(value)) throw damaged('an integer is not one')
  return BigInt(value)
}

function unescapeUnicode(value: string): string {
  return value.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\\\/g, (all, short?: string, long?: string) => {
    const code = short ?? long
    return code ? String.fromCodePoint(Math.min(parseInt(code, 16), 0x10ffff)) : all === '\\\\' ? '\\' : all
  })
}
