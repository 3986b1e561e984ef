import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { Refusal, type RefusalCode } from '../../ground/errors.ts'
import type { Log } from '../../ground/log.ts'
import { describeProblem } from '../request/problem.ts'
import { hangUp } from './hang-up.ts'
import { newRequestId } from './request-id.ts'
import { type Watching, watchMalformed } from './watch-requests.ts'

interface Answering {
  securityHeaders: Record<string, string>
  watching: Watching
  log: Log
}

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
}

/** Of each connection the requests that have not been answered yet, and the last one. */
const exchanges = new WeakMap<Duplex, Exchange[]>()

const isOpen = ({ response }: Exchange): boolean =>
  !(response.writableFinished || response.destroyed)

function remember(request: IncomingMessage, response: ServerResponse): void {
  const open = exchanges.get(request.socket)?.filter(isOpen) ?? []
  exchanges.set(request.socket, [...open, { request, response }])
}

/**
 * Node itself would answer an expectation other than 100-continue with a bare 417, and hang up on a CONNECT without a word:
 * neither ever becomes a request of the application's.
 */
export function answerStrayRequests(server: Server, answering: Answering): void {
  server.prependListener('request', remember)
  server.on('checkExpectation', (request, response) => {
    remember(request, response)
    const { status, headers, body } = refuse('expectation_failed', answering)
    response.writeHead(status, headers).end(body)
  })
  server.on('connect', (_request, socket) => {
    socket.on('error', () => {})
    sayLast('malformed_http', socket, exchanges.get(socket) ?? [], answering)
  })
}

/** What else can be wrong with what cannot be parsed, by Node's code. */
const codes: Record<string, RefusalCode> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

/**
 * What cannot be parsed as HTTP never becomes a request: it is answered on the bare connection. So is a request whose body goes
 * wrong on the way, unless it has been answered already.
 */
export function answerBrokenHttp(
  error: Error & { code?: string },
  socket: Duplex,
  answering: Answering,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const known = exchanges.get(socket) ?? []
  const last = known.at(-1)
  if (last === undefined || last.request.complete) {
    sayLast(codes[error.code ?? ''] ?? 'malformed_http', socket, known, answering)
  } else if (last.response.headersSent) {
    whenAnswered(known, () => hangUp(socket))
  } else {
    sayLast(codes[error.code ?? ''] ?? 'malformed_http', socket, known.slice(0, -1), answering)
  }
}

/** After the answers to the requests that came before: whoever has sent several takes the first answer to be the first one's. */
function sayLast(
  code: RefusalCode,
  socket: Duplex,
  earlier: readonly Exchange[],
  answering: Answering,
): void {
  whenAnswered(earlier, () => {
    if (!socket.writable) return
    const { status, headers, body } = refuse(code, answering)
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    hangUp(socket, `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`)
  })
}

/** Answers go out in the order in which their requests came. */
function whenAnswered(earlier: readonly Exchange[], then: () => void): void {
  const last = earlier.at(-1)
  if (last === undefined || !isOpen(last)) then()
  else last.response.once('close', then)
}

function refuse(code: RefusalCode, { securityHeaders, watching, log }: Answering) {
  const problem = describeProblem(new Refusal(code))
  const { status } = problem
  const reqId = newRequestId()
  watchMalformed(watching, log, { reqId, status, code })
  const body = JSON.stringify(problem)
  const headers: Record<string, string | number> = {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    Connection: 'close',
    'X-Request-Id': reqId,
    ...securityHeaders,
  }
  return { status, headers, body }
}
