/** A PgBouncer in transaction mode of a test's own, before one Postgres. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { findUnprivileged } from '../../server/src/ground/embedded-postgres/run-unprivileged.ts'
import { atExit } from './at-exit.ts'
import { findFreePort } from './process.ts'
import { requireTool } from './require-tool.ts'

export interface PgBouncer {
  /** The same address, through the pooler. */
  through(url: string): string
  /** Kills it, and with it every connection. */
  kill(): Promise<void>
  /** Starts it again at the same address. */
  start(): Promise<void>
  /** What it has logged. */
  log(): string
  stop(): Promise<void>
}

/** How it logs in to Postgres to look up who may log in to it (auth_query). */
const lookup = { user: 'pgbouncer_lookup', password: 'looks up' }

/**
 * @param superuserUrl the database, as a superuser: it is given the function of auth_query
 * @param settings over those below
 * @param logins passwords that stand in its userlist.txt, by the role
 */
export async function startPgBouncer(
  superuserUrl: string,
  settings: Record<string, string | number> = {},
  logins: Record<string, string> = {},
): Promise<PgBouncer> {
  requireTool('pgbouncer', 'pgbouncer')
  await allowLookup(superuserUrl)
  const { hostname, port } = new URL(superuserUrl)
  const directory = mkdtempSync(join(tmpdir(), 'pie-pgbouncer-'))
  const ownPort = await findFreePort()
  const file = (name: string) => join(directory, name)
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: ownPort,
    unix_socket_dir: '',
    logfile: file('log'),
    pool_mode: 'transaction',
    default_pool_size: 2,
    max_client_conn: 500,
    auth_type: 'scram-sha-256',
    auth_file: file('userlist.txt'),
    auth_query: 'select name, password from pgbouncer.find_login($1)',
    // A Postgres that has been away is asked again at once.
    server_login_retry: 0.1,
    ...settings,
  }
  writeFileSync(
    file('pgbouncer.ini'),
    [
      '[databases]',
      `* = host=${hostname} port=${port} auth_user=${lookup.user}`,
      '[pgbouncer]',
      ...Object.entries(all).map(([name, value]) => `${name} = ${value}`),
    ].join('\n'),
  )
  const listed = Object.entries({ [lookup.user]: lookup.password, ...logins })
  writeFileSync(
    file('userlist.txt'),
    listed.map(([role, password]) => `"${role}" "${password}"\n`).join(''),
  )
  const unprivileged = findUnprivileged([directory])
  await unprivileged.own(directory)
  let child: ChildProcess | null = null
  const kill = async () => {
    if (child === null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    child = null
  }
  // A run that is interrupted leaves nothing behind.
  const forget = atExit(() => {
    child?.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })
  const start = async () => {
    const [program, args] = unprivileged.wrap('pgbouncer', ['--quiet', file('pgbouncer.ini')])
    child = spawn(program, args, { ...unprivileged.identity, stdio: 'ignore' })
    while (!(await takesConnections(ownPort))) {
      if (child.exitCode !== null) throw new Error(`pgbouncer ended: ${readFileSync(file('log'))}`)
      await sleep(10)
    }
  }
  await start()
  return {
    through: (url) => {
      const address = new URL(url)
      address.host = `127.0.0.1:${ownPort}`
      return address.href
    },
    kill,
    start,
    log: () => readFileSync(file('log'), 'utf8'),
    stop: async () => {
      await kill()
      forget()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** As docs/guides/poolers.md has it. */
async function allowLookup(superuserUrl: string): Promise<void> {
  const superuser = new pg.Client({ connectionString: superuserUrl })
  await superuser.connect()
  await superuser.query(`
    do $$ begin
      create role ${lookup.user} login password '${lookup.password}';
    exception when duplicate_object or unique_violation then null;
    end $$;
    create schema if not exists pgbouncer authorization ${lookup.user};
    create or replace function pgbouncer.find_login(login text) returns table (name text, password text)
      language sql security definer set search_path = pg_catalog, pg_temp
      as $$ select rolname, rolpassword from pg_authid where rolname = login and rolcanlogin $$;
    revoke execute on function pgbouncer.find_login(text) from public;
    grant execute on function pgbouncer.find_login(text) to ${lookup.user};
  `)
  await superuser.end()
}

const takesConnections = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
