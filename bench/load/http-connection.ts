import { connect } from 'node:net'

export interface HttpAnswer {
  status: number
  body: string
}

/** One kept-alive connection. One request at a time. */
export interface HttpConnection {
  exchange(request: string): Promise<HttpAnswer>
  close(): void
}

interface Waiting {
  resolve(answer: HttpAnswer): void
  reject(error: Error): void
}

/**
 * Opens a connection that understands just enough HTTP for the answers of the two servers here. The
 * load shares two cores with what it measures, and a full client takes three times as long as this
 * for each request: time that would count against the servers.
 */
export async function openHttpConnection(address: string): Promise<HttpConnection> {
  const { hostname, port } = new URL(address)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  let received: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  let waiting: Waiting | null = null
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  const fail = (error: Error) => {
    waiting?.reject(error)
    waiting = null
  }
  socket.on('error', fail)
  socket.on('close', () => fail(new Error(`${address} closed a connection`)))
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    try {
      const answer = readAnswer(received)
      if (answer === null || waiting === null) return
      received = Buffer.alloc(0)
      const { resolve } = waiting
      waiting = null
      resolve(answer)
    } catch (error) {
      fail(error as Error)
    }
  })
  return {
    exchange: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(request)
      }),
    close: () => socket.destroy(),
  }
}

/** An answer that has come in whole, or null. Its length has to be given: both servers give it. */
function readAnswer(received: Buffer): HttpAnswer | null {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd < 0) return null
  const head = received.toString('latin1', 0, headEnd)
  const status = Number(head.slice(9, 12))
  // RFC 9110 section 8.6: what has no content does not say how long it is.
  if (status === 204) return { status, body: '' }
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(head) ?? []
  if (length === undefined) throw new Error(`An answer without its length:\n${head}`)
  const bodyStart = headEnd + 4
  if (received.length < bodyStart + Number(length)) return null
  return { status, body: received.toString('utf8', bodyStart) }
}
