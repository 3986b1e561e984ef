/** Pie inside an application's own Fastify server. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { listeningAddress } from './composition/listening-address.ts'
import { openPie } from './composition/open-pie.ts'
import { originOnPort } from './composition/read-policy.ts'
import { applicationsRequestId } from './edge/http/request-id.ts'
import { pieRoutes } from './edge/http/routes.ts'
import { readSecurityHeaders } from './edge/http/security-headers.ts'
import { createRequestPie, type RequestPie } from './edge/request/request-pie.ts'
import { systemClock } from './ground/clock.ts'
import { readApplicationMigrations } from './ground/database/application-migrations.ts'
import { createLog, type Log } from './ground/log.ts'
import { ownPackage } from './ground/own-package.ts'
import { readEnvironment } from './settings/environment.ts'
import { type Config, readConfig } from './settings/read-config.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks, and the database as them. */
    pie: RequestPie
  }
}

/** In a field of the body, as the application's own parser has made it. */
const bodyToken = ({ body }: FastifyRequest): unknown =>
  (body as { csrf_token?: unknown } | null | undefined)?.csrf_token

/** METRICS_SOCKET is a server's, as SOCKET is: an application listens where it says itself. */
function readPluginConfig(settings: Record<string, string>): Config {
  const config = readConfig(
    { ...readEnvironment({ isShared: true }), ...settings },
    { isShared: true },
  )
  if (config.METRICS_SOCKET === null) return config
  const instead = config.METRICS_TOKEN === null ? 'set METRICS_TOKEN, and ask' : 'ask'
  const warning = `METRICS_SOCKET is for a Pie server of its own: ${instead} this one for /metrics`
  return { ...config, METRICS_SOCKET: null, warnings: [...config.warnings, warning] }
}

export interface PieOptions {
  /** Settings, by the names of docs/configuration.md; they come before those of the environment. */
  settings?: Record<string, string>
  /**
   * The directory of the application's own SQL: `new URL('sql/', import.meta.url)`. Its files, numbered as in
   * `0001-notes.sql`, run at the start as the database's owner, after Pie's own: in order, each once and in
   * a transaction of its own. One that has run is never changed.
   */
  migrations?: URL
  /**
   * The name that those are recorded under, for where several applications share a database: by default the one in the
   * `package.json` above them.
   */
  application?: string
}

/**
 * `await app.register(pie)`: every route of Pie's, and `request.pie` on every route of the application's.
 * Pie's routes keep their headers, errors and limits to themselves. What belongs to the server stays the
 * application's: where it listens, which proxies it trusts, CORS for its own routes.
 *
 * @throws OperatorError when something that it needs is missing, wrong or unsafe
 */
export const pie = fastifyPlugin(
  async (app: FastifyInstance, { settings = {}, migrations, application }: PieOptions) => {
    const config = readPluginConfig(settings)
    const log = 'isLevelEnabled' in app.log ? (app.log as Log) : createLog(config.LOG_LEVEL, false)
    const own =
      migrations === undefined
        ? null
        : await readApplicationMigrations(migrations, application ?? null)
    const { pie, metrics, failed, close } = await openPie(config, log, systemClock, own)
    let isClosing = false
    app.addHook('onClose', () => {
      isClosing = true
      return close()
    })
    void failed.then((reason) => {
      if (!isClosing) pie.log.fatal(reason)
    })
    app.addHook('onListen', async () => {
      const address = app.server.address()
      // A socket of the file system has no port.
      if (typeof address !== 'object' || address === null) return
      pie.policy.service.address = listeningAddress(address.address, address.port)
      if (config.SERVICE_DOMAIN === null) pie.policy.service.origin = originOnPort(address.port)
    })

    app.decorateRequest('pie', null as unknown as RequestPie)
    app.addHook('onRequest', async (request, reply) => {
      request.pie = createRequestPie(pie, request, reply, () => bodyToken(request))
    })
    await app.register(pieRoutes, {
      pie,
      metrics,
      watching: { isLogged: config.LOG_REQUESTS ?? false, counts: metrics?.requests ?? null },
      requestId: applicationsRequestId,
      securityHeaders: await readSecurityHeaders(pie.policy),
      rateLimitScale: config.RATE_LIMIT_SCALE,
      version: ownPackage.version,
      isWholeServer: false,
    })
  },
  { name: '@pie/server', fastify: '5.x' },
)
