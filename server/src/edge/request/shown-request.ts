import type { IncomingHttpHeaders } from 'node:http'

/** As much of a request as says who asks: Fastify's is one, and `readRequest` makes one of any other. */
export interface ShownRequest {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  /** With the names and values of the headers as they came, one after the other. */
  readonly raw: { readonly rawHeaders: readonly string[] }
  /** The address that asks, as far as a trusted proxy says. */
  readonly ip: string | undefined
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** Where headers of the answer go: Fastify's reply is one. `Set-Cookie` is added to those that are there. */
export interface ReplyHeaders {
  header(name: string, value: string): unknown
  getHeader(name: string): unknown
  removeHeader(name: string): unknown
}
