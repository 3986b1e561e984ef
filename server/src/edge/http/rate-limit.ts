import { isIP } from 'node:net'
import rateLimit, { type FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { LRUCache } from 'lru-cache'
import type { SharedCache } from '../../ground/cache/shared-cache.ts'
import { Refusal } from '../../ground/errors.ts'
import { addressOf, networkOf } from '../request/device.ts'
import { type Counted, type CountHere, createCounts } from './count-here.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How often one session may use a route that needs one, from one network. An open route says `rateLimit`. */
    sessionLimit?: ReturnType<typeof perMinute>
    /** Why a route needs no limit, where it has none. */
    isUnlimitedBecause?: string
  }
}

export interface RateLimitOptions {
  shared: SharedCache | null
  /** What every limit is multiplied by. */
  scale: number
}

/** How often one network may use an open route, and one session any other: `perMinute(60)`. */
export const perMinute = (max: number) => ({ max, timeWindow: 60_000 })

/**
 * Counts requests: to open routes by network, in the shared cache, or in this process while there is none. To routes that
 * need a session by session and network, so that who holds a copy of somebody's session does not use up what is theirs; and
 * in this process always, because nobody should wait for that. Every route has to say how many it takes.
 */
export const rateLimits = fastifyPlugin(
  async (app: FastifyInstance, { shared, scale }: RateLimitOptions) => {
    const routes: RouteOptions[] = []
    app.addHook('onRoute', (route) => void routes.push(route))
    // Looked at when all are there: what opens a plugin's routes does so after the hook above.
    app.addHook('onReady', async () => {
      for (const { config, method, url } of routes) {
        const isLimited =
          config?.access === 'open'
            ? typeof config.rateLimit === 'object'
            : (config?.sessionLimit ?? config?.isUnlimitedBecause) !== undefined
        if (!isLimited) throw new Error(`${method} ${url} has no rate limit`)
      }
    })
    await app.register(rateLimit, {
      global: false,
      keyGenerator: (request) => `${networkOfRequest(request)} ${nameOf(request)}`,
      store: storeOn(shared),
      errorResponseBuilder: (_request, { ttl }) => refuseFor(ttl),
    })
    const count = app.rateLimit({
      max: (request) => limitOf(request).max * scale,
      timeWindow: (request) => limitOf(request).timeWindow,
    })
    const countHere = createCounts(MOST_SESSIONS_COUNTED)
    // Rather than the plugin's own hook on each route, which would come too early for other plugins' routes.
    app.addHook('onRequest', (request, reply, done) => {
      const { rateLimit, sessionLimit } = request.routeOptions.config
      if (typeof rateLimit === 'object')
        return void Promise.resolve(count.call(app, request, reply)).then(() => done(), done)
      const { actor } = request
      if (sessionLimit === undefined || actor === null) return done()
      const key = `${actor.sessionId} ${networkOfRequest(request)} ${nameOf(request)}`
      const { current, ttl } = countHere(key, sessionLimit.timeWindow)
      const most = sessionLimit.max * scale
      void reply
        .header('x-ratelimit-limit', most)
        .header('x-ratelimit-remaining', Math.max(0, most - current))
        .header('x-ratelimit-reset', Math.ceil(ttl / 1000))
      if (current > most) return done(refuseFor(ttl))
      done()
    })
  },
)

/** @param ttl for how long, in milliseconds */
export const refuseFor = (ttl: number): Refusal =>
  new Refusal('too_many_requests', { retryAfterSeconds: Math.max(1, Math.ceil(ttl / 1000)) })

const limitOf = ({ routeOptions }: FastifyRequest) =>
  routeOptions.config.rateLimit as ReturnType<typeof perMinute>

const networks = new LRUCache<string, string>({ max: 10_000 })

/** The network that a request is counted by: remembered, because it is asked for at every one. */
export function networkOfRequest(request: FastifyRequest): string {
  const known = networks.get(request.ip)
  if (known !== undefined) return known
  const network = networkOf(addressOf(request))
  // A proxy may name what is no address; then it is another's, which only this request knows.
  if (isIP(request.ip) !== 0) networks.set(request.ip, network)
  return network
}

/** HEAD is counted with the GET that it stands for. */
const nameOf = ({ method, routeOptions }: FastifyRequest): string =>
  `${method === 'HEAD' ? 'GET' : method} ${routeOptions.url}`

/** Networks, each with a route, that one process counts at once. */
const MOST_COUNTED = 20_000

/** Sessions, each with a route. */
const MOST_SESSIONS_COUNTED = 50_000

function storeOn(shared: SharedCache | null): FastifyRateLimitStoreCtor {
  return class Store {
    readonly #countHere: CountHere = createCounts(MOST_COUNTED)

    incr(
      key: string,
      done: (error: Error | null, counted?: Counted) => void,
      windowMs: number,
    ): void {
      this.#count(key, windowMs).then(
        (counted) => done(null, counted),
        (error) => done(error),
      )
    }

    /** One for all routes: a key names the network and the route. */
    child(): Store {
      return this
    }

    async #count(key: string, windowMs: number): Promise<Counted> {
      const counted = (await shared?.count(key, windowMs)) ?? null
      return counted === null
        ? this.#countHere(key, windowMs)
        : { current: counted.count, ttl: Math.max(0, counted.resetMs) }
    }
  }
}
