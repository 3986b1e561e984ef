import pg from 'pg'
import type { Manifest } from '../backup/manifest.ts'
import { OperatorError } from '../errors.ts'
import { checkNoData } from './check-no-data.ts'
import { checkServer } from './check-server.ts'
import { readMajor } from './dump-database.ts'
import { findClientProgram } from './find-client-program.ts'
import { dropHelper, handOver } from './hand-over.ts'
import { dropRoles, makeRoles } from './make-roles.ts'
import { restoreRoleDetails } from './restore-role-details.ts'
import { runClientProgram } from './run-client-program.ts'

export interface RestoredDump {
  /** Roles that were not there, without passwords. */
  rolesMade: string[]
  /** Statements that this role may not execute, each with the reason. */
  left: string[]
}

/**
 * Restores a dump into the database that a client is connected to, in which nothing is. To be called in
 * turn.
 *
 * @param path where to look for pg_restore
 * @throws OperatorError when there is no pg_restore, or it fails: then nothing has been restored
 */
export async function restoreDump(
  owner: pg.Client,
  manifest: Manifest,
  { file, path }: { file: string; path: string },
): Promise<RestoredDump> {
  await checkServer(owner)
  await checkNoData(owner)
  await checkNotOlder(owner, manifest)
  const program = await findClientProgram('pg_restore', manifest.client_major ?? 15, path)
  const rolesMade = await makeRoles(owner, manifest.roles)
  const helper = await makeHelper(owner, manifest.owner)
  // This connection waits for the other.
  await owner.query('set idle_session_timeout = 0')
  const database = (owner.database ?? '').replace(/['\\]/g, '\\$&')
  try {
    if (helper !== null) await owner.query(`grant ${pg.escapeIdentifier(helper)} to current_user`)
    await runClientProgram(owner, program, [
      ...['--single-transaction', '--exit-on-error', '--no-owner'],
      // What row-level security applies to was dumped whole, and is loaded before its policies are made.
      ...['--enable-row-security', `--dbname=dbname='${database}'`, file],
    ])
  } catch (error) {
    await dropRoles(owner, helper === null ? rolesMade : [helper, ...rolesMade])
    throw error
  }
  await takeOver(owner, manifest.owner, helper)
  return { rolesMade, left: await restoreRoleDetails(owner, manifest, rolesMade) }
}

async function checkNotOlder(
  owner: pg.Client,
  { postgres_major }: Pick<Manifest, 'postgres_major'>,
): Promise<void> {
  const major = await readMajor(owner)
  if (major >= postgres_major) return
  throw new OperatorError(
    `This Postgres is version ${major}, and the backup is of ${postgres_major}: restore it into ${postgres_major} or later.`,
  )
}

/** What is for the owner in a dump is for its name, which nobody may have here. */
async function makeHelper(owner: pg.Client, name: string): Promise<string | null> {
  const { rows } = await owner.query('select from pg_catalog.pg_roles where rolname = $1', [name])
  if (rows.length > 0) return null
  const attributes = { login: false, inherit: false, connection_limit: -1 }
  await makeRoles(owner, [{ name, attributes: { ...noRights, ...attributes } }])
  return name
}

const noRights = {
  superuser: false,
  createdb: false,
  createrole: false,
  replication: false,
  bypassrls: false,
}

async function takeOver(owner: pg.Client, from: string, helper: string | null): Promise<void> {
  const { rows } = await owner.query<{ name: string }>('select current_user as name')
  if (rows[0]?.name === from) return
  await owner.query('begin')
  try {
    await handOver(owner, from)
    if (helper !== null) await dropHelper(owner, helper)
    await owner.query('commit')
  } catch (cause) {
    await owner.query('rollback')
    throw new OperatorError(
      `The data was restored, but what is for the role ${from} could not be given to this one: ${(cause as Error).message}. ` +
        'Drop the database, make it anew, and restore as a role of that name, or as a superuser.',
      { cause },
    )
  }
}
