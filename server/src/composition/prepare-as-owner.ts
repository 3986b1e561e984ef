/** What the owner does at a start, one node after the other: migrations, and the login roles' passwords. */
import type pg from 'pg'
import { checkSecretKey } from '../features/keys/check-secret-key.ts'
import { askingAsOwner } from '../features/operations/doctor/asking.ts'
import { examine } from '../features/operations/doctor/examine.ts'
import { findingInWords } from '../features/operations/doctor/in-words.ts'
import { systemClock } from '../ground/clock.ts'
import type { Secret } from '../ground/crypto/secret.ts'
import {
  type ApplicationMigrations,
  migrateApplication,
} from '../ground/database/application-migrations.ts'
import { closeCatalog } from '../ground/database/close-catalog.ts'
import { connectClient } from '../ground/database/connect-client.ts'
import {
  checkSameDatabase,
  type DatabaseIdentity,
  identify,
} from '../ground/database/database-identity.ts'
import { notHeldUp, PATIENCE_TO_MIGRATE_MS } from '../ground/database/end-holders.ts'
import { inTurn } from '../ground/database/in-turn.ts'
import { createLogin } from '../ground/database/login.ts'
import { loginOf } from '../ground/database/login-address.ts'
import { hasConnected } from '../ground/database/lost-connection.ts'
import { asOwner, prepareDatabase } from '../ground/database/prepare-database.ts'
import { OperatorError } from '../ground/errors.ts'
import type { Config } from '../settings/read-config.ts'
import { checkClosed } from './check-database.ts'
import type { OwnerUrls } from './find-database.ts'
import { checkLogins, findListenUrls, type LoginUrls, prepareLogins } from './find-logins.ts'
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
    inTurn(client, async () => {
      await checkDirect(client, config, owner)
      await checkSecretKey(client, keys)
      await checkLogins(client, config, owner, keys)
      const ran = await notHeldUp(
        client,
        () => migrateAll(client, migrations),
        PATIENCE_TO_MIGRATE_MS,
      )
      if (config.DATABASE_URL === null) await closeCatalog(client)
      const urls = await prepareLogins(client, config, owner, keys)
      await checkForLogins(client, urls)
      const listenUrls = findListenUrls(urls.auth, owner.url, config.DIRECT_DATABASE_URL)
      return { ran, urls, listenUrls, hasUsers: await hasAnyUser(client) }
    }),
  )
}

async function migrateAll(
  client: pg.Client,
  migrations: ApplicationMigrations | null,
): Promise<string[]> {
  const ran = await prepareDatabase(client)
  return migrations === null ? ran : [...ran, ...(await migrateApplication(client, migrations))]
}

/** Migrations run past the pooler, and requests through it: on the same database. A pooler need not know the owner. */
async function checkDirect(client: pg.Client, config: Config, { url }: OwnerUrls): Promise<void> {
  if (config.DIRECT_DATABASE_URL === null) return
  const other = await connectClient(createLogin(url, { runs: 'owners' }), {
    connectionTimeoutMillis: 10_000,
  }).catch(() => null)
  if (other === null) return
  try {
    const [direct, usual] = await Promise.all(
      [client, other].map((one) => one.query<DatabaseIdentity>(identify.text)),
    )
    checkSameDatabase({
      DIRECT_DATABASE_URL: direct?.rows[0] as DatabaseIdentity,
      DATABASE_URL: usual?.rows[0] as DatabaseIdentity,
    })
  } finally {
    await other.end().catch(() => {})
  }
}

async function hasAnyUser(owner: pg.Client): Promise<boolean> {
  const { rows } = await owner.query<{ has_any: boolean }>(
    'select exists (select from pie_schema.users) as has_any',
  )
  return rows[0]?.has_any === true
}

/**
 * What keeps the login roles from working at all, they could not find themselves: a role may have been set to give up after a
 * millisecond, by SQL that got in through a hole.
 * @throws OperatorError
 */
async function checkForLogins(client: pg.Client, urls: LoginUrls): Promise<void> {
  const logins = {
    requests: loginOf(urls.requests[0]) ?? 'cream',
    auth: loginOf(urls.auth[0]) ?? 'pie_auth',
  }
  const findings = await askingAsOwner(client, (ask) => examine(ask, systemClock, logins))
  checkClosed(findings, logins)
  const inTheWay = findings.filter(({ check }) => blocking.includes(check))
  if (inTheWay.length === 0 || (await canWork(urls))) return
  throw new OperatorError(
    [
      'The login roles cannot work on this database:',
      ...inTheWay.map((finding) => `  ${findingInWords(finding)}`),
      'pie doctor --mend does it.',
    ].join('\n'),
  )
}

const blocking = ['role-settings', 'database-settings']

async function canWork({ auth, requests }: LoginUrls): Promise<boolean> {
  return (await canWorkAs(auth)) && (await canWorkAs(requests))
}

/** Whether what takes a moment is let to its end. Who cannot connect at all is told so later, with the address. */
async function canWorkAs(addresses: readonly Secret[]): Promise<boolean> {
  let login: pg.Client | null = null
  try {
    login = await connectClient(createLogin(addresses), { connectionTimeoutMillis: 10_000 })
    await login.query('select pg_catalog.pg_sleep(0.02)')
    return true
  } catch (cause) {
    return login === null && !hasConnected(cause)
  } finally {
    await login?.end().catch(() => {})
  }
}
