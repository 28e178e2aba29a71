/**
 * Who may talk to the engine. A token of 256 bits made at each start is handed over once in the address, then kept in a cookie
 * that no other site can send. Host and Origin are checked on every request, so neither a rebound domain name nor another
 * site's page reaches anything.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { hostname } from 'node:os'

export interface Guard {
  readonly token: string
  readonly cookieName: string
  /** Null when the request is welcome; else the status and a sentence. `needsToken` false checks Host and Origin only. */
  refusal(request: IncomingMessage, needsToken: boolean): { readonly status: 401 | 403 | 421; readonly message: string } | null
  /** Whether this text is the token, in constant time. */
  isToken(text: string): boolean
  /** Value of the Set-Cookie header that makes a browser this engine's own. */
  cookie(): string
}

export interface GuardOptions {
  readonly port: number
  /** The address asked for with --host; null: this machine only. */
  readonly host: string | null
  readonly token?: string
}

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

export function createGuard({ port, host, token = newToken() }: GuardOptions): Guard {
  const cookieName = `amc_${port}` // cookies do not know ports: two engines on one machine must not overwrite each other's
  const expected = digest(token)
  const isToken = (text: string): boolean => timingSafeEqual(digest(text), expected)

  const isOwnHost = (value: string | undefined): boolean => {
    const parsed = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+):(\d+)$/i.exec(value ?? '')
    if (!parsed || Number(parsed[2]) !== port) return false
    const name = parsed[1]!.toLowerCase()
    if (LOOPBACK.has(name)) return true
    if (host === null) return false
    // A rebound name is always a name: addresses in figures cannot be one.
    return name === host.toLowerCase() || name === hostname().toLowerCase() || isIP(name.replace(/^\[|\]$/g, '')) !== 0
  }

  return {
    token,
    cookieName,
    isToken,
    cookie: () => `${cookieName}=${token}; HttpOnly; SameSite=Strict; Path=/`,
    refusal: (request, needsToken) => {
      const { host: ownHost, origin, authorization } = request.headers
      if (!isOwnHost(ownHost)) return { status: 421, message: 'This address is not served here.' }
      if (origin !== undefined && origin !== `http://${ownHost}`) return { status: 403, message: 'Pages of other sites may not talk to this program.' }
      const site = request.headers['sec-fetch-site']
      if (site === 'cross-site' && request.headers['sec-fetch-mode'] !== 'navigate') return { status: 403, message: 'Pages of other sites may not talk to this program.' }
      if (!needsToken) return null
      const bearer = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1]
      if (bearer !== undefined && isToken(bearer)) return null
      // A browser always names the origin of a WebSocket; without one only a token in the header counts.
      const sent = cookieOf(request, cookieName)
      const fromBrowser = request.headers.upgrade === undefined || origin !== undefined
      if (fromBrowser && sent !== null && isToken(sent)) return null
      return { status: 401, message: 'Open the address that the program printed when it started: it holds the key.' }
    },
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function cookieOf(request: IncomingMessage, name: string): string | null {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2)
    if (key === name && value) return value
  }
  return null
}
