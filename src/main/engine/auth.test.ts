import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createGuard } from './auth.ts'

const request = (headers: Record<string, string>): IncomingMessage => ({ headers }) as unknown as IncomingMessage
const status = (guard: ReturnType<typeof createGuard>, headers: Record<string, string>, needsToken = true) => guard.refusal(request(headers), needsToken)?.status ?? 200

describe('an engine that listens beyond this machine', () => {
  const guard = createGuard({ port: 8080, host: 'gpu-box.lan', token: 'key' })
  const key = { authorization: 'Bearer key' }

  test.each(['gpu-box.lan:8080', 'GPU-BOX.lan:8080', '192.168.1.5:8080', '[fe80::1]:8080', 'localhost:8080'])('answers to %s', (host) => {
    expect(status(guard, { ...key, host, origin: `http://${host}` })).toBe(200)
  })
  // A name can be pointed at any address by its owner; an address in figures cannot.
  test.each(['evil.example:8080', '192.168.1.5.evil.example:8080', 'gpu-box.lan:81', 'gpu-box.lan', '1.2.3:8080', '[zz]:8080'])('does not answer to %s', (host) => {
    expect(status(guard, { ...key, host })).toBe(421)
  })
  test('still wants the key', () => {
    expect(status(guard, { host: 'gpu-box.lan:8080' })).toBe(401)
    expect(status(guard, { host: 'gpu-box.lan:8080' }, false)).toBe(200)
  })
})

describe('the key', () => {
  const guard = createGuard({ port: 1234, host: null, token: 'right' })
  const host = '127.0.0.1:1234'

  test('is compared as a whole', () => {
    for (const text of ['', 'righ', 'rightt', 'RIGHT', 'right ', 'right\0']) expect(guard.isToken(text)).toBe(false)
    expect(guard.isToken('right')).toBe(true)
  })
  test('counts in the cookie of this port only, wherever it stands among others', () => {
    expect(status(guard, { host, cookie: 'a=b; amc_1234=right; c=d' })).toBe(200)
    expect(status(guard, { host, cookie: 'amc_1235=right' })).toBe(401)
    expect(status(guard, { host, cookie: 'xamc_1234=right' })).toBe(401)
  })
  test('in a cookie does not open a WebSocket that names no origin', () => {
    expect(status(guard, { host, cookie: 'amc_1234=right', upgrade: 'websocket' })).toBe(401)
    expect(status(guard, { host, cookie: 'amc_1234=right', upgrade: 'websocket', origin: `http://${host}` })).toBe(200)
  })
})
