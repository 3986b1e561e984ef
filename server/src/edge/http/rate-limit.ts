import rateLimit, { type FastifyRateLimitStoreCtor } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { LRUCache } from 'lru-cache'
import type { SharedCache } from '../../ground/cache/shared-cache.ts'
import { Refusal } from '../../ground/errors.ts'
import { addressOf, networkOf } from '../request/device.ts'

export interface RateLimitOptions {
  shared: SharedCache | null
  /** What every limit is multiplied by. */
  scale: number
}

/** How often one network may use an open route: `perMinute(60)`. */
export const perMinute = (max: number) => ({ max, timeWindow: 60_000 })

/**
 * Counts requests to open routes by network: in the shared cache, or in this process while there is none.
 * Every open route has to say how many it takes.
 */
export const rateLimits = fastifyPlugin(
  async (app: FastifyInstance, { shared, scale }: RateLimitOptions) => {
    const routes: RouteOptions[] = []
    app.addHook('onRoute', (route) => void routes.push(route))
    // Looked at when all are there: what opens a plugin's routes does so after the hook above.
    app.addHook('onReady', async () => {
      for (const { config, method, url } of routes) {
        if (config?.access === 'open' && typeof config.rateLimit !== 'object')
          throw new Error(`${method} ${url} is open and has no rate limit`)
      }
    })
    await app.register(rateLimit, {
      global: false,
      keyGenerator: (request) => `${networkOf(addressOf(request))} ${nameOf(request)}`,
      store: storeOn(shared),
      errorResponseBuilder: (_request, { ttl }) =>
        new Refusal('too_many_requests', { retryAfterSeconds: Math.max(1, Math.ceil(ttl / 1000)) }),
    })
    const count = app.rateLimit({
      max: (request) => limitOf(request).max * scale,
      timeWindow: (request) => limitOf(request).timeWindow,
    })
    // Rather than the plugin's own hook on each route, which would come too early for other plugins' routes.
    app.addHook('onRequest', (request, reply, done) => {
      if (typeof request.routeOptions.config.rateLimit !== 'object') return done()
      Promise.resolve(count.call(app, request, reply)).then(() => done(), done)
    })
  },
)

const limitOf = ({ routeOptions }: FastifyRequest) =>
  routeOptions.config.rateLimit as ReturnType<typeof perMinute>

/** HEAD is counted with the GET that it stands for. */
const nameOf = ({ method, routeOptions }: FastifyRequest): string =>
  `${method === 'HEAD' ? 'GET' : method} ${routeOptions.url}`

interface Counted {
  current: number
  ttl: number
}

/** Networks, each with a route, that one process counts at once. */
const MOST_COUNTED = 20_000

function storeOn(shared: SharedCache | null): FastifyRateLimitStoreCtor {
  return class Store {
    readonly #here = new LRUCache<string, { count: number; endsAt: number }>({ max: MOST_COUNTED })

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

    #countHere(key: string, windowMs: number): Counted {
      const now = performance.now()
      const known = this.#here.get(key)
      const window =
        known !== undefined && known.endsAt > now ? known : { count: 0, endsAt: now + windowMs }
      window.count += 1
      this.#here.set(key, window)
      return { current: window.count, ttl: window.endsAt - now }
    }
  }
}
