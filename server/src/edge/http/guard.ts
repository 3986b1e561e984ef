import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { checkOperatorToken } from '../../features/operations/operator-token.ts'
import type { Secret } from '../../ground/crypto/secret.ts'
import {
  type Actor,
  bearerToken,
  readActor,
  refuseForgery,
  refuseOtherOrigins,
} from '../request/actor.ts'
import { checkMetricsToken } from '../request/metrics-token.ts'
import type { Pie } from './pie.ts'
import { csrfTokenOf } from './request-actor.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * `'open'` lets anybody in, `'operator'` whoever holds SECRET_KEY, `'metrics'` whoever shows METRICS_TOKEN. Without it, a
     * route needs a session. An open route says how often one network may use it.
     */
    access?: 'open' | 'operator' | 'metrics'
  }
}

export interface GuardOptions {
  pie: Pie
  metricsToken?: Secret | null
}

/**
 * Closes every route that does not say `config: { access: 'open' }`, also those that plugins add. A
 * closed route runs only for a request with a session's cookie, or with an access token that is ours and
 * not expired; whether the session is alive, Postgres says in the request transaction.
 *
 * What changes something is refused when it comes from another site's page, and with a cookie it needs a
 * CSRF token.
 */
export const guard = fastifyPlugin(
  async (app: FastifyInstance, { pie, metricsToken }: GuardOptions) => {
    app.decorateRequest('actor', null)
    app.decorateRequest('formToken', null)
    app.addHook('onRequest', (request, reply, done) => {
      const actor = admit(pie, metricsToken ?? null, request, reply)
      if (!(actor instanceof Promise)) {
        request.actor = actor
        return done()
      }
      actor.then((read) => {
        request.actor = read
        done()
      }, done)
    })
    app.addHook('preValidation', (request, _reply, done) => {
      const { actor } = request
      if (actor?.kind !== 'browser') return done()
      refuseForgery(pie, request, actor, csrfTokenOf(request)).then(() => done(), done)
    })
  },
)

/**
 * Null where anybody may come in.
 * @throws Refusal `unauthenticated`, `cross_origin`
 */
function admit(
  pie: Pie,
  metricsToken: Secret | null,
  request: FastifyRequest,
  reply: FastifyReply,
): Actor | null | Promise<Actor> {
  if (request.is404) return null
  refuseOtherOrigins(pie, request)
  const { access } = request.routeOptions.config
  if (access === 'open') return null
  if (access === 'operator') {
    checkOperatorToken(pie, bearerToken(request))
    return null
  }
  if (access === 'metrics') {
    checkMetricsToken(metricsToken, bearerToken(request))
    return null
  }
  return readActor(pie, request, reply)
}
