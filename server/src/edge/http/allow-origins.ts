import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'

/** For how long a browser may remember the answer to a preflight, in seconds. Chromium keeps it no longer. */
const PREFLIGHT_SECONDS = 7_200

/**
 * Lets pages of exactly these origins use Pie with its cookies (CORS). No origin is ever answered with
 * its own name because it asked.
 */
export const allowOrigins = fastifyPlugin(
  async (app: FastifyInstance, { origins }: { origins: readonly string[] }) => {
    if (origins.length === 0) return
    // The plugin's own route for preflights, which no browser sends credentials with.
    app.addHook('onRoute', (route) => {
      if (route.method === 'OPTIONS' && route.url === '*')
        route.config = {
          ...route.config,
          access: 'open',
          rateLimit: { max: 600, timeWindow: 60_000 },
        }
    })
    await app.register(cors, {
      // Whoever is not allowed is told nothing at all: not that there are credentials, nor which methods.
      origin: async (origin?: string) => origins.find((allowed) => allowed === origin) ?? false,
      credentials: true,
      methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowedHeaders: ['authorization', 'content-type', 'x-csrf-token'],
      exposedHeaders: ['retry-after', 'x-request-id'],
      maxAge: PREFLIGHT_SECONDS,
      strictPreflight: false,
    })
  },
)
