import type { IncomingHttpHeaders } from 'node:http'
import type { ReplyHeaders, ShownRequest } from './shown-request.ts'

/** A request as Node has it, and every framework on it: Express, Koa's `ctx.req`, Hapi's `raw.req`. */
export interface NodeRequest {
  method?: string | undefined
  headers: IncomingHttpHeaders
  rawHeaders?: readonly string[]
  socket?: { remoteAddress?: string | undefined }
}

/** A request as browsers and runtimes have it (Fetch Standard): Hono's `c.req.raw`, Next's, SvelteKit's. */
export interface WebRequest {
  method: string
  headers: { forEach(each: (value: string, name: string) => void): void }
}

/** Answers as Node has them. */
export interface NodeResponse {
  setHeader(name: string, value: string | string[]): unknown
  getHeader(name: string): unknown
  removeHeader(name: string): unknown
}

/** @param address whose request it is, where it comes by a proxy or is no request of Node's */
export function readRequest(request: NodeRequest | WebRequest, address?: string): ShownRequest {
  if (isWebRequest(request)) {
    const headers: IncomingHttpHeaders = {}
    // Of two headers of one name the values are joined by a comma, which no token has in it.
    request.headers.forEach((value, name) => {
      headers[name.toLowerCase()] = value
    })
    return {
      method: request.method,
      headers,
      raw: { rawHeaders: [] },
      ip: address ?? '',
      socket: {},
    }
  }
  const { method = 'GET', headers, rawHeaders = [], socket = {} } = request
  return { method, headers, raw: { rawHeaders }, ip: address ?? '', socket }
}

const isWebRequest = (request: NodeRequest | WebRequest): request is WebRequest =>
  typeof request.headers['forEach'] === 'function'

/** Where the answer's headers go: to the answer where Node has one, and to be read from `headers` in any case. */
export function collectHeaders(
  response: NodeResponse | undefined,
): ReplyHeaders & { headers: Headers } {
  const headers = new Headers()
  return {
    headers,
    header: (name, value) => {
      if (name !== 'set-cookie') {
        headers.set(name, value)
        response?.setHeader(name, value)
        return
      }
      headers.append(name, value)
      const set = [response?.getHeader(name) ?? []].flat().map(String)
      response?.setHeader(name, [...set, value])
    },
    getHeader: (name) =>
      response?.getHeader(name) ??
      (name === 'set-cookie' ? headers.getSetCookie() : (headers.get(name) ?? undefined)),
    removeHeader: (name) => {
      headers.delete(name)
      response?.removeHeader(name)
    },
  }
}
