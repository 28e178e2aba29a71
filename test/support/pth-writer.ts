/** Writes the zip form of PyTorch's files, for tests that need a checkpoint of other sizes: {'model': {name: tensor}}. */
import { writeFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'

export interface PthTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array | BigInt64Array
}

export function writePth(path: string, model: ReadonlyMap<string, PthTensor>): void {
  const entries = [...model].map(([name, tensor], i) => ({ name, tensor, key: String(i) }))
  writeFileSync(path, zip([
    { name: 'archive/data.pkl', bytes: pickle(entries) },
    ...entries.map(({ key, tensor: { data } }) => ({ name: `archive/data/${key}`, bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength) })),
  ]))
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}
/** Opcodes of pickle protocol 2. */
const text = (value: string): Buffer => Buffer.concat([Buffer.from('X'), int32(Buffer.byteLength(value)), Buffer.from(value)])
const integer = (value: number): Buffer => Buffer.concat([Buffer.from('J'), int32(value)])
const global = (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`)
const tuple = (items: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')])
const dict = (items: readonly Buffer[]): Buffer => Buffer.concat([Buffer.from('}('), ...items, Buffer.from('u')])

function pickle(entries: readonly { name: string; tensor: PthTensor; key: string }[]): Buffer {
  const items = entries.flatMap(({ name, tensor: { shape, data }, key }) => {
    const type = global('torch', data instanceof Float32Array ? 'FloatStorage' : 'LongStorage')
    const storage = Buffer.concat([tuple([text('storage'), type, text(key), text('cpu'), integer(data.length)]), Buffer.from('Q')])
    const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1))
    const hooks = Buffer.concat([global('collections', 'OrderedDict'), Buffer.from(')R')])
    const parts = tuple([storage, integer(0), tuple(shape.map(integer)), tuple(strides.map(integer)), Buffer.from([0x89]), hooks])
    return [text(name), Buffer.concat([global('torch._utils', '_rebuild_tensor_v2'), parts, Buffer.from('R')])]
  })
  return Buffer.concat([Buffer.from([0x80, 2]), dict([text('model'), dict(items)]), Buffer.from('.')])
}

/** Uncompressed, as PyTorch writes it. */
function zip(files: readonly { readonly name: string; readonly bytes: Buffer }[]): Buffer {
  const [bodies, listing]: [Buffer[], Buffer[]] = [[], []]
  let offset = 0
  for (const { name, bytes } of files) {
    const common = Buffer.alloc(26) // version, flags, method, time, date, crc, sizes, name length, extra length
    common.writeUInt16LE(20, 0)
    common.writeUInt32LE(crc32(bytes), 10)
    common.writeUInt32LE(bytes.length, 14)
    common.writeUInt32LE(bytes.length, 18)
    common.writeUInt16LE(name.length, 22)
    const header = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name)])
    const rest = Buffer.alloc(14) // comment length, disk, attributes, offset
    rest.writeUInt32LE(offset, 10)
    listing.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, rest, Buffer.from(name)]))
    bodies.push(header, bytes)
    offset += header.length + bytes.length
  }
  const central = Buffer.concat(listing)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...bodies, central, end])
}
