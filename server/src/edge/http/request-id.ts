import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { Trusts } from './trusted-proxies.ts'

/** What goes into logs and answers as it is. Two headers of this name come joined by a comma, and are none. */
const form = /^[A-Za-z0-9._-]{1,128}$/

/** By which a request is found again in the logs of whatever it came through: what a trusted proxy calls it, or else a new one. */
export function requestIdOf({ headers, socket }: IncomingMessage, trusts: Trusts): string {
  const { remoteAddress } = socket
  const isTrusted = remoteAddress !== undefined && trusts(remoteAddress, 0)
  return (isTrusted ? readRequestId(headers['x-request-id']) : null) ?? newRequestId()
}

/**
 * The same in an application's server, which decides what it trusts: only behind a proxy that it does, Fastify has read addresses
 * before the connection's. Otherwise it is what the application calls the request.
 */
export function applicationsRequestId({ id, ips = [], headers }: FastifyRequest): string {
  const given = ips.length > 1 ? readRequestId(headers['x-request-id']) : null
  return given ?? readRequestId(id) ?? newRequestId()
}

const readRequestId = (given: unknown): string | null =>
  typeof given === 'string' && form.test(given) ? given : null

export const newRequestId = (): string => randomUUID()
