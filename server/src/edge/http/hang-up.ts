import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'

/** How long whoever has been answered may go on sending: closed at once, they might never see the answer. */
const LINGER_MS = 2_000

/** Ends a connection after these last words, also where the other side never does. */
export function hangUp(socket: Duplex, lastWords = ''): void {
  socket.end(lastWords)
  closeSoon(socket)
}

/** Closes connections on which a body still comes when its request has long been answered: Node would wait for all of it. */
export function hangUpOnSlowBodies(server: Server): void {
  server.on('request', (request, response) => {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers
    if (coding === undefined && Number(length) === 0) return
    response.once('finish', () => {
      if (!request.complete) closeSoon(request.socket, () => !request.complete)
    })
  })
}

function closeSoon(socket: Duplex, isStillDue = () => true): void {
  const timer = setTimeout(() => {
    if (isStillDue()) socket.destroy()
  }, LINGER_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}
