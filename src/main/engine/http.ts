/** The HTTP side: the page, images by id, a health answer and the check of `npm start -- --check`. Everything is guarded first. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { AppError, type ErrorCode, toErrorData } from '../../shared/errors.ts'
import type { Guard } from './auth.ts'
import type { EngineContext } from './context.ts'
import { sendMedia, sendTile } from './media.ts'
import { type AnswerApi, isApi } from './openapi.ts'
import { sendStatic } from './static-files.ts'

export interface HttpOptions {
  readonly context: EngineContext
  /** Known only when the port is. */
  readonly guard: () => Guard
  readonly pageDir: string
  readonly check: () => Promise<unknown>
  readonly api: AnswerApi
  /** With the engine's own address. */
  readonly openApi: () => Promise<unknown>
}

const STATUS: Partial<Record<ErrorCode, number>> = { 'not-found': 404, 'bad-input': 422, usage: 400, forbidden: 403, conflict: 409, locked: 423, busy: 503, 'disk-full': 507, 'runtime-missing': 503 }

export function createHttpServer(options: HttpOptions): Server {
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => sendError(request, response, error))
  })
  server.headersTimeout = 20_000
  return server
}

async function answer({ context, guard, pageDir, check, api, openApi }: HttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('referrer-policy', 'no-referrer')
  response.setHeader('x-frame-options', 'DENY')
  response.setHeader('cross-origin-resource-policy', 'same-origin')
  response.setHeader('cross-origin-opener-policy', 'same-origin')
  const gate = guard()
  const url = readTarget(request.url ?? '/')
  const offered = url.pathname === '/' ? url.query.get('token') : null
  const refused = gate.refusal(request, offered === null)
  if (refused) return sendText(response, refused.status, refused.message)
  if (offered !== null) {
    if (!gate.isToken(offered)) return sendText(response, 401, 'This key is from an earlier start. Open the address that the program printed last.')
    response.writeHead(302, { 'set-cookie': gate.cookie(), location: '/', 'cache-control': 'no-store' }).end()
    return
  }
  if (isApi(url.pathname)) {
    response.setHeader('cache-control', 'no-store')
    if (await api(request, response)) return
    throw new AppError('not-found', 'There is no such procedure.', 'GET /openapi.json lists them all; each is called with POST.')
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return sendText(response, 405, 'Only reading goes over plain HTTP, and what is below /api/v1.')
  const media = /^\/media\/(image|thumb)\/([\w-]{1,100})$/.exec(url.pathname)
  if (media) return sendMedia(context, request, response, media[1] as 'image' | 'thumb', media[2]!)
  const tile = /^\/media\/tile\/([\w-]{1,100})\/(\d{1,2})\/(\d{1,5})\/(\d{1,5})$/.exec(url.pathname)
  if (tile) return sendTile(context, request, response, tile[1]!, { level: Number(tile[2]), x: Number(tile[3]), y: Number(tile[4]) })
  if (url.pathname === '/health') return sendJson(response, 200, { ok: true, version: context.version })
  if (url.pathname === '/openapi.json') return sendJson(response, 200, await openApi())
  if (url.pathname === '/api/check') return sendJson(response, 200, await check())
  if (await sendStatic(request, response, pageDir, url.pathname)) return
  if (url.pathname === '/') throw new AppError('runtime-missing', 'The page has not been built.', 'Run `npm run build`.')
  throw new AppError('not-found', 'There is nothing at this address.')
}

/** Path and query as they are written: what a stranger sends need not be an address that URL understands. */
function readTarget(target: string): { readonly pathname: string; readonly query: URLSearchParams } {
  const [pathname = '', query = ''] = target.split(/\?(.*)/s, 2)
  return { pathname, query: new URLSearchParams(query) }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }).end(JSON.stringify(value))
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }).end(`${text}\n`)
}

/** The path of a file is the person's own and stays out of answers; it is in the log. */
function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const data = toErrorData(error)
  // A page that closes early takes its connection away in the middle of an answer, or before it.
  const gone = response.destroyed || ['ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_UNABLE_TO_PIPE', 'ERR_STREAM_DESTROYED', 'EPIPE', 'ECONNRESET'].includes(String((error as { code?: unknown } | null)?.code))
  if (data.code === 'internal' && !gone) console.error(`${request.method} ${request.url?.split('?')[0]}:`, error)
  if (response.headersSent) return void response.destroy()
  for (const name of ['content-length', 'etag', 'cache-control']) response.removeHeader(name)
  sendJson(response, STATUS[data.code] ?? 500, { code: data.code, message: data.message, cure: data.cure })
}
