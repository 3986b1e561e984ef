import type { FastifyInstance, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { proveSession } from '../../features/sessions/prove-session.ts'
import type { SessionCredential } from '../../ground/database/request-transaction.ts'
import { Refusal } from '../../ground/errors.ts'
import type { Pie } from './pie.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `'open'` lets anybody in. Without it, a route needs a session. */
    access?: 'open'
  }
  interface FastifyRequest {
    /** What the request shows Postgres. Null on open routes. */
    credential: SessionCredential | null
  }
}

/**
 * Closes every route that does not say `config: { access: 'open' }`, also those that plugins add. A
 * closed route runs only for a request with an access token that is ours and not expired; whether its
 * session is alive, Postgres says in the request transaction.
 */
export const guard = fastifyPlugin(async (app: FastifyInstance, { pie }: { pie: Pie }) => {
  app.decorateRequest('credential', null)
  app.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.access === 'open' || request.is404) return
    const token = bearerToken(request)
    const claims = token === null ? null : await pie.verifyAccessToken(token)
    if (claims === null) throw new Refusal('unauthenticated')
    request.credential = proveSession(pie.keys, claims.sessionId)
  })
})

/** The credential of a closed route. */
export function credentialOf(request: FastifyRequest): SessionCredential {
  if (request.credential === null) throw new Refusal('unauthenticated')
  return request.credential
}

/**
 * RFC 6750 section 2.1. Null when there is none, when it is of another scheme, and when there are two
 * Authorization headers: Node would take the first, and a proxy before it might have checked the last.
 */
export function bearerToken({ headers, raw }: FastifyRequest): string | null {
  if ((raw.headersDistinct['authorization'] ?? []).length > 1) return null
  const [, token] = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i.exec(headers.authorization ?? '') ?? []
  return token ?? null
}
