import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { Refusal } from '../../ground/errors.ts'
import type { Log } from '../../ground/log.ts'
import { describeProblem } from '../request/problem.ts'
import { newRequestId } from './request-id.ts'
import { type Watching, watchMalformed } from './watch-requests.ts'

interface Answering {
  securityHeaders: Record<string, string>
  watching: Watching
  log: Log
}

/**
 * Node itself would answer an expectation other than 100-continue with a bare 417, and hang up on a CONNECT without a word:
 * neither ever becomes a request of the application's.
 */
export function answerStrayRequests(server: Server, answering: Answering): void {
  const malformed = new Error('it asks for what is not there')
  server.on('checkExpectation', ({ socket }) => answerBrokenHttp(malformed, socket, answering))
  server.on('connect', (_request, socket) => {
    socket.on('error', () => {})
    answerBrokenHttp(malformed, socket, answering)
  })
}

/** What cannot be parsed as HTTP never becomes a request: it is answered on the bare connection. */
export function answerBrokenHttp(
  error: Error & { code?: string },
  socket: Duplex,
  { securityHeaders, watching, log }: Answering,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const problem = describeProblem(
    new Refusal(error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'malformed_http'),
  )
  const { status, code } = problem
  const reqId = newRequestId()
  watchMalformed(watching, log, { reqId, status, code })
  const body = JSON.stringify(problem)
  const headers = {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    Connection: 'close',
    'X-Request-Id': reqId,
    ...securityHeaders,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} Refused\r\n${lines.join('')}\r\n${body}`)
}
