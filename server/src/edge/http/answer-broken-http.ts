import type { Socket } from 'node:net'
import { Refusal } from '../../ground/errors.ts'
import type { Log } from '../../ground/log.ts'
import { describeProblem } from '../request/problem.ts'
import { newRequestId } from './request-id.ts'
import { type Watching, watchMalformed } from './watch-requests.ts'

/** What cannot be parsed as HTTP never becomes a request: it is answered on the bare connection. */
export function answerBrokenHttp(
  error: Error & { code?: string },
  socket: Socket,
  {
    securityHeaders,
    watching,
    log,
  }: { securityHeaders: Record<string, string>; watching: Watching; log: Log },
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
