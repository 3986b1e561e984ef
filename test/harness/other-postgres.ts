/** A Postgres as an operator may have it: of the lowest version that Pie takes, owned by no superuser. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import {
  findPostmaster,
  stopPostmaster,
} from '../../server/src/ground/embedded-postgres/postmaster.ts'
import { findUnprivileged } from '../../server/src/ground/embedded-postgres/run-unprivileged.ts'
import { atExit } from './at-exit.ts'
import { findFreePort } from './process.ts'

export interface OtherPostgres {
  /** Connects to the database `postgres` as its superuser. */
  url: URL
  /** Breaks the connections of pie_auth and cream. */
  disconnectPie(): Promise<void>
  stop(): Promise<void>
}

/**
 * @param binariesPackage an npm package with the binaries of one version
 * @param superuserName what its superuser is called
 * @param settings over the server's own
 */
export async function startOtherPostgres(
  binariesPackage: string,
  superuserName = 'postgres',
  settings: Record<string, string> = {},
): Promise<OtherPostgres> {
  const { initdb, postgres } = await import(binariesPackage)
  const directory = mkdtempSync(join(tmpdir(), 'pie-postgres-'))
  const data = join(directory, 'data')
  const unprivileged = findUnprivileged([directory, dirname(postgres)])
  await unprivileged.own(directory)
  writeFileSync(join(directory, 'password'), 'superuser')
  const [make, makeArguments] = unprivileged.wrap(initdb, [
    ...['--pgdata', data, '--username', superuserName, '--pwfile', join(directory, 'password')],
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-sync'],
  ])
  execFileSync(make, makeArguments, { ...unprivileged.identity, stdio: 'pipe' })
  const port = await findFreePort()
  const [run, runArguments] = unprivileged.wrap(postgres, [
    ...['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', '', '-F'],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ])
  const child = spawn(run, runArguments, { ...unprivileged.identity, stdio: 'ignore' })
  const exited = once(child, 'exit')
  const forget = atExit(() => {
    child.kill('SIGQUIT')
    rmSync(directory, { recursive: true, force: true })
  })
  while (findPostmaster(data)?.isReady !== true) {
    if (child.exitCode !== null) throw new Error(`postgres ended with ${child.exitCode}`)
    await sleep(20)
  }
  const url = new URL(`postgres://${superuserName}:superuser@127.0.0.1:${port}/postgres`)
  return {
    url,
    disconnectPie: async () => {
      const superuser = new pg.Client({ connectionString: url.href })
      await superuser.connect()
      await superuser.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where usename in ('pie_auth', 'cream')`,
      )
      await superuser.end()
    },
    stop: async () => {
      await stopPostmaster(child.pid ?? 0)
      await exited
      forget()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Makes a login role with these attributes and a database that it owns, and returns its address. */
export async function addOwner(server: URL, name: string, attributes: string): Promise<string> {
  const superuser = new pg.Client({ connectionString: server.href })
  await superuser.connect()
  await superuser.query(`create role ${name} login password 'owner' ${attributes}`)
  await superuser.query(`create database ${name} owner ${name}`)
  await superuser.end()
  const url = new URL(server)
  url.username = name
  url.password = 'owner'
  url.pathname = `/${name}`
  return url.href
}
