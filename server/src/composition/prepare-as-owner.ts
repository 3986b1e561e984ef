/** What the owner does at a start, one node after the other: migrations, and the login roles' passwords. */
import type pg from 'pg'
import { checkSecretKey } from '../features/keys/check-secret-key.ts'
import type { Secret } from '../ground/crypto/secret.ts'
import {
  type ApplicationMigrations,
  migrateApplication,
} from '../ground/database/application-migrations.ts'
import { asOwner, prepareDatabase } from '../ground/database/prepare-database.ts'
import { withAdvisoryLock } from '../ground/database/with-advisory-lock.ts'
import type { Config } from '../settings/read-config.ts'
import type { OwnerUrls } from './find-database.ts'
import { findListenUrls, type LoginUrls, prepareLogins } from './find-logins.ts'
import type { Keys } from './read-keys.ts'

/** A database that a node can connect to as the login roles. */
export interface ReadyDatabase {
  /** The migrations that ran now. */
  ran: string[]
  urls: LoginUrls
  /** Where pie_auth hears of changes. */
  listenUrls: readonly Secret[]
  hasUsers: boolean
}

/** @throws OperatorError, before anything is written, when SECRET_KEY is not the one of this database */
export async function prepareAsOwner(
  config: Config,
  owner: OwnerUrls,
  keys: Keys,
  migrations: ApplicationMigrations | null,
): Promise<ReadyDatabase> {
  return asOwner(owner.directUrl, (client) =>
    withAdvisoryLock(client, async () => {
      await checkSecretKey(client, keys)
      const ran = await prepareDatabase(client)
      if (migrations !== null) ran.push(...(await migrateApplication(client, migrations)))
      const urls = await prepareLogins(client, config, owner, keys)
      const listenUrls = findListenUrls(urls.auth, owner.url, config.DIRECT_DATABASE_URL)
      return { ran, urls, listenUrls, hasUsers: await hasAnyUser(client) }
    }),
  )
}

async function hasAnyUser(owner: pg.Client): Promise<boolean> {
  const { rows } = await owner.query<{ has_any: boolean }>(
    'select exists (select from pie_schema.users) as has_any',
  )
  return rows[0]?.has_any === true
}
