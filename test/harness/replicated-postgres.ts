/** A primary and its streaming standby, that a test may let lag, promote, stop and start again. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { backUpCluster } from '../../server/src/ground/embedded-postgres/back-up-cluster.ts'
import { findPostmaster } from '../../server/src/ground/embedded-postgres/postmaster.ts'
import { findUnprivileged } from '../../server/src/ground/embedded-postgres/run-unprivileged.ts'
import { until } from './nodes.ts'
import { findFreePort } from './process.ts'

export interface Server {
  /** Its database `postgres`, as its superuser. */
  url: URL
  /** Runs SQL as its superuser. */
  sql(text: string, database?: string): Promise<pg.QueryResultRow[]>
  start(): Promise<void>
  /** Ends it, and with it every connection, as a machine that loses its power would. */
  kill(): Promise<void>
}

export interface ReplicatedPostgres {
  primary: Server
  standby: Server
  /** The standby answers from what it has by now, and from no more. */
  pauseReplay(): Promise<void>
  resumeReplay(): Promise<void>
  /** Resolves when the standby has everything that the primary has. */
  catchUp(): Promise<void>
  /** The standby becomes a primary. The other does not know. */
  promote(): Promise<void>
  stop(): Promise<void>
}

interface Binaries {
  initdb: string
  postgres: string
}

/** @param binariesPackage an npm package with the binaries of one version */
export async function startReplicatedPostgres(
  binariesPackage: string,
): Promise<ReplicatedPostgres> {
  const { initdb, postgres }: Binaries = await import(binariesPackage)
  const directory = mkdtempSync(join(tmpdir(), 'pie-replicated-'))
  const unprivileged = findUnprivileged([directory, dirname(postgres)])
  const place = (name: string) => join(directory, name)
  mkdirSync(place('primary'))
  await unprivileged.own(directory)
  writeFileSync(place('password'), 'superuser', { mode: 0o644 })
  const [make, makeArguments] = unprivileged.wrap(initdb, [
    ...['--pgdata', join(place('primary'), 'data'), '--username', 'postgres'],
    ...['--pwfile', place('password'), '--auth', 'scram-sha-256'],
    ...['--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
  ])
  execFileSync(make, makeArguments, { ...unprivileged.identity, stdio: 'pipe' })

  const createServer = async (name: string): Promise<Server> => {
    const data = join(place(name), 'data')
    const port = await findFreePort()
    const url = new URL(`postgres://postgres:superuser@127.0.0.1:${port}/postgres`)
    let ended: Promise<unknown> = Promise.resolve()
    return {
      url,
      sql: async (text, database) => {
        const address = new URL(url)
        if (database !== undefined) address.pathname = database
        const client = new pg.Client({ connectionString: address.href })
        client.on('error', () => {})
        await client.connect()
        try {
          return (await client.query(text)).rows
        } finally {
          await client.end()
        }
      },
      start: async () => {
        const [run, args] = unprivileged.wrap(postgres, [
          ...['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', '', '-F'],
          ...['-c', 'hot_standby=on', '-c', 'wal_receiver_status_interval=1'],
          ...['-c', 'wal_retrieve_retry_interval=200ms', '-c', 'wal_keep_size=256'],
        ])
        const child = spawn(run, args, { ...unprivileged.identity, stdio: 'ignore' })
        ended = once(child, 'exit')
        await until(() => {
          if (child.exitCode !== null) throw new Error(`the ${name} ended: ${child.exitCode}`)
          return findPostmaster(data)?.isReady === true
        }, 60_000)
      },
      kill: async () => {
        const postmaster = findPostmaster(data)
        if (postmaster === null) return
        // Without a checkpoint, and without a word to anybody.
        process.kill(postmaster.pid, 'SIGQUIT')
        await ended
      },
    }
  }

  const primary = await createServer('primary')
  await primary.start()
  const standby = await createServer('standby')
  const copier = new pg.Client({ connectionString: primary.url.href })
  await copier.connect()
  mkdirSync(place('standby'))
  await backUpCluster(copier, join(place('primary'), 'data'), place('standby'))
  await copier.end()
  const copy = join(place('standby'), 'data')
  writeFileSync(join(copy, 'standby.signal'), '')
  appendFileSync(
    join(copy, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=127.0.0.1 port=${primary.url.port} user=postgres password=superuser'\n`,
  )
  await unprivileged.own(place('standby'))
  await standby.start()

  const lag = async () => {
    const [at] = await primary.sql('select pg_current_wal_lsn()::text as lsn')
    const [there] = await standby.sql(
      `select coalesce(pg_last_wal_replay_lsn() >= '${at?.['lsn']}', false) as has_it`,
    )
    return there?.['has_it'] !== true
  }
  const replicated: ReplicatedPostgres = {
    primary,
    standby,
    pauseReplay: async () => {
      await standby.sql('select pg_wal_replay_pause()')
      await until(async () => {
        const [row] = await standby.sql('select pg_get_wal_replay_pause_state() as state')
        return row?.['state'] === 'paused'
      }, 30_000)
    },
    resumeReplay: async () => void (await standby.sql('select pg_wal_replay_resume()')),
    catchUp: () => until(async () => !(await lag()), 60_000),
    promote: async () => {
      const [row] = await standby.sql('select pg_promote(true, 60) as is_done')
      if (row?.['is_done'] !== true) throw new Error('the standby was not promoted')
    },
    stop: async () => {
      await Promise.all([primary.kill(), standby.kill()])
      rmSync(directory, { recursive: true, force: true })
    },
  }
  // A run that is interrupted leaves nothing behind.
  process.once('exit', () => {
    for (const name of ['primary', 'standby']) {
      const postmaster = findPostmaster(join(place(name), 'data'))
      if (postmaster !== null) process.kill(postmaster.pid, 'SIGQUIT')
    }
    rmSync(directory, { recursive: true, force: true })
  })
  await replicated.catchUp()
  return replicated
}
