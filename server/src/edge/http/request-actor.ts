import type { FastifyRequest } from 'fastify'
import { proveSession } from '../../features/sessions/prove-session.ts'
import type { SessionCredential } from '../../ground/database/request-transaction.ts'
import { Refusal } from '../../ground/errors.ts'
import type { Actor } from '../request/actor.ts'
import type { Pie } from './pie.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. Null on open routes. */
    actor: Actor | null
    /** The CSRF token of a form, taken out of its body. */
    formToken: string | null
  }
}

/** Who asks on a closed route. */
export function actorOf(request: FastifyRequest): Actor {
  if (request.actor === null) throw new Refusal('unauthenticated')
  return request.actor
}

/** What a request on a closed route shows Postgres, which has the last word. */
export const credentialOf = (pie: Pie, request: FastifyRequest): SessionCredential =>
  proveSession(pie.keys, actorOf(request).sessionId)

/** A CSRF token comes in a header or in a form, never in an address, which is logged and sent on. */
export function csrfTokenOf({ headers, formToken }: FastifyRequest): string | null {
  const header = headers['x-csrf-token']
  return typeof header === 'string' ? header : formToken
}
