/** What a node does at a start that has not got the owner's address: it finds what others have made ready. */
import pg from 'pg'
import type { Secret } from '../ground/crypto/secret.ts'
import {
  type ApplicationMigrations,
  pendingOfApplication,
} from '../ground/database/application-migrations.ts'
import type { AppliedMigration } from '../ground/database/applied-migrations.ts'
import { pendingOf, readMigrations } from '../ground/database/migrate.ts'
import type { Database } from '../ground/database/pool.ts'
import { OperatorError } from '../ground/errors.ts'
import type { Config } from '../settings/read-config.ts'
import { findListenUrls, givenLogins } from './find-logins.ts'
import type { ReadyDatabase } from './prepare-as-owner.ts'
import type { Keys } from './read-keys.ts'

/** Settings have been read: both addresses are there. */
export function joinDatabase(config: Config, keys: Keys): ReadyDatabase {
  const { AUTH_DATABASE_URL, REQUEST_DATABASE_URL, DIRECT_DATABASE_URL } = config as Config &
    Record<'AUTH_DATABASE_URL' | 'REQUEST_DATABASE_URL', Secret>
  const urls = givenLogins({ AUTH_DATABASE_URL, REQUEST_DATABASE_URL }, keys)
  const listenUrls = findListenUrls(urls.auth, AUTH_DATABASE_URL, DIRECT_DATABASE_URL)
  // The sentence that asks for a first account is for whoever has made the database.
  return { ran: [], urls, listenUrls, hasUsers: true }
}

/**
 * Whether the database is the one that this version works on.
 * @throws OperatorError that says what `pie migrate` has to do first
 */
export async function checkMigrations(
  auth: Database,
  own: ApplicationMigrations | null,
): Promise<void> {
  const applied = await readAsLogin(auth)
  const pending = pendingOf(await readMigrations(), applied)
  if (pending.length > 0)
    throw new OperatorError(
      `This database has not had ${pending.map(({ name }) => name).join(', ')}. Without DATABASE_URL this node does not migrate: ` +
        'run pie migrate with the owner’s address first.',
    )
  const missing = own === null ? [] : pendingOfApplication(own, applied)
  if (missing.length > 0)
    throw new OperatorError(
      `This database has not had ${missing.map(({ name }) => name).join(', ')}. Without DATABASE_URL this node does not migrate: ` +
        'run pie migrate --application <directory> with the owner’s address first.',
    )
}

async function readAsLogin(auth: Database): Promise<AppliedMigration[]> {
  try {
    const [rows = []] = await auth.send({
      name: 'list_migrations',
      text: 'select * from pie_private.list_migrations()',
      values: [],
    })
    return rows as AppliedMigration[]
  } catch (cause) {
    // SQLSTATE 3F000, 42883, 42501: no schema, no function, or not for this role.
    if (!(cause instanceof pg.DatabaseError)) throw cause
    if (cause.code === '42501')
      throw new OperatorError(
        `The role of AUTH_DATABASE_URL may not do what pie_auth does: ${cause.message}. Are AUTH_DATABASE_URL and REQUEST_DATABASE_URL the right way round?`,
        { cause },
      )
    throw new OperatorError(
      `Pie is not ready on this database: ${cause.message}. Run pie migrate with the owner’s address first.`,
      { cause },
    )
  }
}
