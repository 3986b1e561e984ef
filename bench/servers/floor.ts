/**
 * The floor: the least that a request of each kind could be, and what Pie is compared with.
 *
 * Why this is fair. It runs in a process of its own with the same Node and flags, on the same Fastify
 * with the same options, answers through the same kind of schema, and reaches the same Postgres over a
 * pool that the same function has opened, of the same size. It does nothing that Pie could leave out: no
 * token is read, no session looked up, no policy applied (it connects as the owner, whom row-level
 * security does not bind), and no trigger fires on the table that it writes.
 *
 * One route is no floor: floor-awaited-route.ts does all of that, in the way in which it is mostly written.
 */
import { type FastifyBaseLogger, fastify, LogController } from 'fastify'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { openDatabase } from '../../server/src/ground/database/pool.ts'
import { createLog } from '../../server/src/ground/log.ts'
import { awaitedRoute } from './floor-awaited-route.ts'
import { readUserRoute, refreshSessionRoute, verifyPasswordsRoute } from './floor-routes.ts'
import { bareRoute, readSessionRoute, sharedRoute } from './floor-session-routes.ts'

const log = createLog('info', false)
const open = (variable: string) =>
  openDatabase(Secret.fromText(process.env[variable] ?? ''), log).pool
const pool = open('FLOOR_DATABASE_URL')
/** Opens its connections when it is first asked. */
const awaitedPool = open('FLOOR_AWAITED_URL')

/** As in server/src/edge/http/server.ts. */
const app = fastify({
  loggerInstance: log as FastifyBaseLogger,
  logController: new LogController({ disableRequestLogging: true }),
  trustProxy: false,
  bodyLimit: 64 * 1024,
  requestTimeout: 30_000,
  forceCloseConnections: 'idle',
  ajv: {
    customOptions: {
      coerceTypes: false,
      removeAdditional: false,
      useDefaults: false,
      allErrors: false,
    },
  },
})
app.get('/ready', async () => {
  await pool.query('select 1')
  return { status: 'ok' }
})
readUserRoute(app, pool)
refreshSessionRoute(app, pool)
verifyPasswordsRoute(app)
bareRoute(app)
readSessionRoute(app, pool)
awaitedRoute(app, awaitedPool)
const cacheUrl = process.env['FLOOR_CACHE_URL']
if (cacheUrl !== undefined) await sharedRoute(app, cacheUrl)

process.once('SIGTERM', async () => {
  await app.close()
  await pool.end()
  await awaitedPool.end()
})
await app.listen({ host: '127.0.0.1', port: Number(process.env['FLOOR_PORT']) })
