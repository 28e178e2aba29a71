/** The built page. Only files inside its folder, by their names there; nothing of a request becomes a path outside. */
import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.mjs': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml', '.png': 'image/png', '.ico': 'image/x-icon', '.woff2': 'font/woff2', '.json': 'application/json', '.map': 'application/json', '.txt': 'text/plain; charset=utf-8',
}

/** The page may run its own scripts and talk to its own engine; nothing else. Styles may be set by scripts, as the resizable panes and pop-ups do. */
export function contentSecurityPolicy(host: string): string {
  return [
    "default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data: blob:", "font-src 'self'",
    `connect-src 'self' ws://${host}`, "worker-src 'self' blob:", "manifest-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "object-src 'none'",
  ].join('; ')
}

/** Answers with the file, or returns false when there is none of that name. */
export async function sendStatic(request: IncomingMessage, response: ServerResponse, folder: string, pathname: string): Promise<boolean> {
  const file = await locate(folder, pathname === '/' ? '/index.html' : pathname)
  if (!file) return false
  const type = TYPES[extname(file.path).toLowerCase()] ?? 'application/octet-stream'
  const etag = `"${file.bytes.toString(36)}-${Math.trunc(file.mtimeMs).toString(36)}"`
  // Built names carry a hash of their content, the page itself does not.
  const cache = type.startsWith('text/html') ? 'no-store' : pathname.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache'
  response.setHeader('cache-control', cache)
  response.setHeader('etag', etag)
  if (type.startsWith('text/html')) response.setHeader('content-security-policy', contentSecurityPolicy(request.headers.host ?? ''))
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end()
    return true
  }
  response.writeHead(200, { 'content-type': type, 'content-length': file.bytes })
  if (request.method === 'HEAD') response.end()
  else await pipeline(createReadStream(file.path), response)
  return true
}

async function locate(folder: string, pathname: string): Promise<{ path: string; bytes: number; mtimeMs: number } | null> {
  let name: string
  try {
    name = decodeURIComponent(pathname)
  } catch {
    return null
  }
  if (name.includes('\0') || name.includes('\\') || name.split('/').includes('..')) return null
  try {
    const root = await realpath(folder)
    const path = await realpath(join(root, name))
    if (!path.startsWith(root + sep)) return null
    const info = await stat(path)
    return info.isFile() ? { path, bytes: info.size, mtimeMs: info.mtimeMs } : null
  } catch {
    return null
  }
}
