/** The WebSocket side: calls and events of the contract at /rpc, guarded like everything else. */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { RPCHandler } from '@orpc/server/ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Guard } from './auth.ts'
import type { EngineRouter } from './router.ts'

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024
const PING_EVERY_MS = 20_000

export interface RpcServer {
  close(): void
}

export function serveRpc(server: Server, router: EngineRouter, guard: () => Guard): RpcServer {
  const handler = new RPCHandler(router)
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false })
  const alive = new WeakSet<WebSocket>()

  const admit = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // Who asks comes first: nothing of a stranger's request is looked at more closely than that. And an address is compared as it
    // is written, because not every text that a stranger can send is one that URL understands.
    const refused = guard().refusal(request, true)
    const path = request.url?.split('?', 1)[0]
    const [status, message] = refused ? [refused.status, refused.message] : path === '/rpc' ? [0, ''] : [404, 'Nothing here.']
    if (status) {
      socket.end(`HTTP/1.1 ${status} Refused\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(message)}\r\nconnection: close\r\n\r\n${message}`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (connection) => {
      alive.add(connection)
      connection.on('pong', () => alive.add(connection))
      connection.on('error', () => connection.terminate())
      handler.upgrade(connection).catch((error: unknown) => {
        console.error('A connection of a page:', error)
        connection.terminate()
      })
    })
  }
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    try {
      admit(request, socket, head)
    } catch (error) {
      console.error('A request for a connection:', error)
      socket.destroy()
    }
  })
  // A page whose machine fell asleep leaves a dead connection behind; its event buffer must not live for ever.
  const timer = setInterval(() => {
    for (const connection of sockets.clients) {
      if (!alive.has(connection)) connection.terminate()
      else {
        alive.delete(connection)
        connection.ping()
      }
    }
  }, PING_EVERY_MS)
  timer.unref()

  return {
    close: () => {
      clearInterval(timer)
      for (const connection of sockets.clients) connection.terminate()
      sockets.close()
    },
  }
}
