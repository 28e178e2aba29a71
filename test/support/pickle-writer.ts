/** Plain data as Python's pickle protocol 2 writes it, for tests of files that come as pickles. */
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

const double = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes
}

export const pickled = (value: unknown): Buffer => Buffer.concat([Buffer.from([0x80, 2]), pieces(value), Buffer.from('.')])

function pieces(value: unknown): Buffer {
  if (value === null) return Buffer.from('N')
  if (typeof value === 'boolean') return Buffer.from([value ? 0x88 : 0x89])
  if (typeof value === 'number') return Number.isInteger(value) ? Buffer.concat([Buffer.from('J'), int32(value)]) : Buffer.concat([Buffer.from('G'), double(value)])
  if (typeof value === 'string') return Buffer.concat([Buffer.from('X'), int32(Buffer.byteLength(value)), Buffer.from(value)])
  if (Array.isArray(value)) return Buffer.concat([Buffer.from(']('), ...value.map(pieces), Buffer.from('e')])
  return Buffer.concat([Buffer.from('}('), ...Object.entries(value as object).flatMap(([key, one]) => [pieces(key), pieces(one)]), Buffer.from('u')])
}
