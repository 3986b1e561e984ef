import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Secret } from '../crypto/secret.ts'
import { OperatorError } from '../errors.ts'
import { makeDirectory } from '../make-directory.ts'
import { startProgram } from '../run-program.ts'
import { type Cluster, createCluster } from './create-cluster.ts'
import { createPieDatabase } from './create-pie-database.ts'
import { openPostgresLog } from './postgres-log.ts'
import { findPostmaster, stopPostmaster } from './postmaster.ts'
import { acquireServerLease, findLeaseHolder, type LeaseHolder } from './server-lease.ts'

/** A Postgres that this process has started, or found running and joined. */
export interface EmbeddedPostgres {
  /** Connects to pie_db as the owner. */
  url: Secret
  /** Resolves if the server ends without having been stopped. */
  ended: Promise<void>
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** Where the cluster, its log and its password are kept. */
  directory: string
  /** Who asks: a server keeps Postgres for as long as it runs, a command for as long as it works. */
  holder: LeaseHolder
  /** Settings of Postgres, beside those that Pie needs. */
  settings?: Record<string, string>
}

/**
 * Starts the Postgres in `directory`, making it at the first time. One Pie holds it at a time: a server
 * that finds another server there refuses to start; a command joins a running server.
 *
 * @throws OperatorError when another Pie holds it, or it does not start
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  await makeDirectory(options.directory, 0o711)
  const cluster = await createCluster(options.directory)
  const joined = await joinOrClear(cluster, options.holder)
  if (joined !== null) return joined

  const server = await startServer(cluster, options.settings ?? {})
  try {
    const hold = await acquireServerLease(cluster, server.port, options.holder)
    await createPieDatabase(cluster, server.port)
    return {
      url: cluster.urlOf('pie_db', server.port),
      ended: server.ended,
      stop: async () => {
        await hold.release()
        await server.stop()
      },
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** How long to wait for a Pie that is just stopping, a command that is just working, a Pie just starting. */
const PATIENCE_MS = { server: 2_000, command: 10_000, nobody: 600 }

/** Joins the server that runs here, or stops the one that a killed Pie has left behind. */
async function joinOrClear(
  cluster: Cluster,
  holder: LeaseHolder,
): Promise<EmbeddedPostgres | null> {
  for (let waitedMs = 0; ; waitedMs += 100) {
    const postmaster = findPostmaster(cluster.dataDirectory)
    if (postmaster === null) return null
    const heldBy = await findLeaseHolder(cluster, postmaster.port)
    if (heldBy?.kind === 'server' && holder.kind === 'command') {
      return {
        url: cluster.urlOf('pie_db', postmaster.port),
        ended: new Promise(() => {}),
        stop: async () => {},
      }
    }
    if (waitedMs < PATIENCE_MS[heldBy?.kind ?? 'nobody']) {
      await sleep(100)
      continue
    }
    if (heldBy !== null) {
      throw new OperatorError(
        `Another Pie (process ${heldBy.pid}) is running on ${dirname(cluster.directory)}. ` +
          'Stop it first, or give this one a DATA_DIR of its own.',
      )
    }
    await stopPostmaster(postmaster.pid)
  }
}

async function startServer(cluster: Cluster, settings: Record<string, string>) {
  const port = await cluster.choosePort()
  const log = await openPostgresLog(cluster)
  const settingArguments = Object.entries({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(port),
    // Tablespaces inside the data directory, so that the whole of it can be moved.
    allow_in_place_tablespaces: 'on',
    // Idle connections of a killed Pie are noticed.
    tcp_keepalives_idle: '30',
    ...log.settings,
    ...settings,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const [command, args] = cluster.unprivileged.wrap(cluster.binaries.postgres, [
    '-D',
    cluster.dataDirectory,
    ...settingArguments,
  ])
  // A session of its own: Ctrl-C in a terminal is for Pie, which stops Postgres when it is done with it.
  const child = startProgram(command, args, {
    ...cluster.unprivileged.identity,
    detached: true,
    stdio: ['ignore', log.output, log.output],
    cwd: cluster.directory,
  })
  log.closeOutput()
  child.unref()
  let failure: Error | undefined
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', (error) => {
      failure = error
      resolve()
    })
  })
  let hasEnded = false
  void ended.then(() => {
    hasEnded = true
  })
  while (!hasEnded) {
    const postmaster = findPostmaster(cluster.dataDirectory)
    if (postmaster !== null && postmaster.pid === child.pid && postmaster.isReady) {
      const { pid } = postmaster
      const stop = () => stopPostmaster(pid).finally(log.close)
      return { port, ended, stop }
    }
    await sleep(10)
  }
  log.close()
  throw new OperatorError(
    `Postgres did not start in ${cluster.directory}: ${failure?.message ?? (await log.readLastLines())}`,
  )
}
