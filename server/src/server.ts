/** Pie as a server of its own. */
import { once } from 'node:events'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { listeningAddress } from './composition/listening-address.ts'
import { openPie } from './composition/open-pie.ts'
import { originOnPort } from './composition/read-policy.ts'
import { createMetricsServer } from './edge/http/metrics-server.ts'
import { createServer } from './edge/http/server.ts'
import type { Clock } from './ground/clock.ts'
import { OperatorError } from './ground/errors.ts'
import { createLog, type Log } from './ground/log.ts'
import { ownPackage } from './ground/own-package.ts'
import { readEnvironment } from './settings/environment.ts'
import { type Config, readConfig } from './settings/read-config.ts'

export interface RunningPie {
  /** Where it listens: `http://127.0.0.1:3000`. */
  address: string
  /** Where METRICS_SOCKET listens; null without one. */
  metricsAddress: string | null
  /** Its public origin. */
  origin: string
  /** Where the data is, in words for the operator: never with a password. */
  dataPlace: string
  hasUsers: boolean
  /** Resolves with the reason when Pie can go on no longer. */
  failed: Promise<string>
  /** Takes no more requests, finishes those in flight, and stops what was started. */
  close(): Promise<void>
}

type Server = Awaited<ReturnType<typeof createServer>>

export interface ServerOptions {
  /** Settings, by the names of docs/configuration.md; they come before those of the environment and of `.env`. */
  settings?: Record<string, string>
  /** Without it, lines of JSON on standard output, from LOG_LEVEL on. */
  log?: Log
}

/**
 * Starts Pie as a server of its own from a program: what `pie start` does.
 * @throws OperatorError when something that it needs is missing, wrong or unsafe
 */
export async function startServer({ settings = {}, log }: ServerOptions = {}): Promise<RunningPie> {
  const config = readConfig({ ...readEnvironment(), ...settings })
  return startPie(config, log ?? createLog(config.LOG_LEVEL, false))
}

/**
 * Starts Pie.
 * @param clock replaced only by tests
 * @throws OperatorError when something that it needs is missing, wrong or unsafe
 */
export async function startPie(config: Config, log: Log, clock?: Clock): Promise<RunningPie> {
  await checkFree(config.SOCKET, 'SOCKET')
  if (config.METRICS_SOCKET !== null) await checkFree(config.METRICS_SOCKET, 'METRICS_SOCKET')
  const { pie, metrics, dataPlace, hasUsers, failed, close } = await openPie(config, log, clock)
  const servers: Server[] = []
  const closeAll = async () => {
    // Those who watch first: they would be told that a node is ready which takes nothing more.
    for (const server of servers.toReversed()) await server.close()
    await close()
  }
  const options = {
    trustedProxies: config.TRUSTED_PROXIES,
    rateLimitScale: config.RATE_LIMIT_SCALE,
    version: ownPackage.version,
    metrics,
    watching: { isLogged: config.LOG_REQUESTS ?? true, counts: metrics?.requests ?? null },
  }
  try {
    const server = await createServer(pie, options)
    servers.push(server)
    await listen(server, config.SOCKET, 'SOCKET')
    const { port } = server.server.address() as AddressInfo
    const address = listeningAddress(config.SOCKET.host, port)
    pie.policy.service.address = address
    if (config.SERVICE_DOMAIN === null) pie.policy.service.origin = originOnPort(port)
    if (metrics !== null && config.METRICS_SOCKET !== null) {
      const watched = await createMetricsServer(pie, metrics, options)
      servers.push(watched)
      await listen(watched, config.METRICS_SOCKET, 'METRICS_SOCKET')
    }
    return {
      address,
      metricsAddress: addressOfMetrics(config, servers[1]),
      origin: pie.policy.service.origin,
      dataPlace,
      hasUsers,
      failed,
      close: closeAll,
    }
  } catch (error) {
    await closeAll().catch((cause) => log.error({ err: cause }, 'could not stop cleanly'))
    throw error
  }
}

function addressOfMetrics(
  { METRICS_SOCKET }: Pick<Config, 'METRICS_SOCKET'>,
  server: Server | undefined,
): string | null {
  if (METRICS_SOCKET === null || server === undefined) return null
  return listeningAddress(METRICS_SOCKET.host, (server.server.address() as AddressInfo).port)
}

type SocketSetting = 'SOCKET' | 'METRICS_SOCKET'

/** Before anything is migrated for a node that could not serve then. Between this and `listen` somebody else may still take it. */
async function checkFree(socket: Config['SOCKET'], setting: SocketSetting): Promise<void> {
  const trial = createTcpServer()
  try {
    await once(trial.listen(socket), 'listening')
  } catch (cause) {
    throw cannotListen(socket, setting, cause)
  }
  trial.close()
  await once(trial, 'close')
}

async function listen(
  server: Server,
  socket: Config['SOCKET'],
  setting: SocketSetting,
): Promise<void> {
  const listenTextResolver = (address: string) => `${setting} listens at ${address}`
  try {
    await server.listen({ ...socket, listenTextResolver })
  } catch (cause) {
    throw cannotListen(socket, setting, cause)
  }
}

function cannotListen(socket: Config['SOCKET'], setting: SocketSetting, cause: unknown): unknown {
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === undefined) return cause
  const reason = code === 'EADDRINUSE' ? 'something else listens there' : message
  return new OperatorError(
    `Could not listen on ${socket.host}:${socket.port}: ${reason}. Set ${setting} to another address.`,
    { cause },
  )
}
