/** What commands work with: the database, as its owner. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import type { LookContext, OwnerContext, OwnerOptions } from '../edge/cli/command-context.ts'
import { checkSecretKey } from '../features/keys/check-secret-key.ts'
import type { DerivedKeys } from '../ground/crypto/derive-keys.ts'
import { createPasswordHasher } from '../ground/crypto/password-hasher.ts'
import type { Secret } from '../ground/crypto/secret.ts'
import { isPieThere, readApplied } from '../ground/database/applied-migrations.ts'
import { notHeldUp, PATIENCE_MS } from '../ground/database/end-holders.ts'
import { inTurn } from '../ground/database/in-turn.ts'
import { loginOf } from '../ground/database/login-address.ts'
import { isRolePasswordKnown, type LoginRole } from '../ground/database/login-roles.ts'
import { isReadOnly } from '../ground/database/lost-connection.ts'
import { pendingOf, readMigrations } from '../ground/database/migrate.ts'
import { asOwner, prepareDatabase } from '../ground/database/prepare-database.ts'
import { OperatorError } from '../ground/errors.ts'
import type { Config } from '../settings/read-config.ts'
import {
  checkThere,
  type FoundDatabase,
  findDatabase,
  type OwnerUrls,
  ownerOf,
} from './find-database.ts'
import { findLogins } from './find-logins.ts'
import { type Keys, readKeys } from './read-keys.ts'
import { readPolicy } from './read-policy.ts'

/** @throws OperatorError, before anything is done, when SECRET_KEY is not the one of this database */
export async function workAsOwner<T>(
  config: Config,
  work: (place: OwnerContext) => Promise<T>,
  { mayBeWrong = false, makesPie = false, patienceMs = PATIENCE_MS }: OwnerOptions = {},
): Promise<T> {
  if (!makesPie) checkThere(config)
  const keys = await readKeys(config)
  const hasher = createPasswordHasher(1)
  try {
    return await withOwner(config, async (owner, database, urls) => {
      if (!mayBeWrong) await checkSecretKey(owner, keys)
      const unheld = () => notHeldUp(owner, () => work(place), patienceMs)
      const place: OwnerContext = {
        owner,
        keys,
        hasher,
        policy: readPolicy(config),
        isEmbedded: database.isEmbedded,
        isProduction: config.isProduction,
        ownRoles: derivedRoles(config),
        migrate: () => inTurn(owner, () => prepareDatabase(owner)),
        prepare: () => prepare(owner, database),
        urls: async () => ({ owner: urls.url, ...(await findLogins(owner, config, urls, keys)) }),
      }
      return explainBehind(owner, unheld)
    })
  } finally {
    await hasher.close()
  }
}

/** For what only looks: no SECRET_KEY is needed, and a database of the operator's is left as it is. */
export async function lookAsOwner<T>(
  config: Config,
  work: (place: LookContext) => Promise<T>,
): Promise<T> {
  checkThere(config)
  return withOwner(config, (owner, database, urls) =>
    work({
      owner,
      logins: {
        requests: (config.REQUEST_DATABASE_URL && loginOf(config.REQUEST_DATABASE_URL)) ?? 'cream',
        auth: (config.AUTH_DATABASE_URL && loginOf(config.AUTH_DATABASE_URL)) ?? 'pie_auth',
      },
      graphqlSchemas: config.GRAPHQL_SCHEMAS,
      readKeys: async (): Promise<Keys | null> => {
        const isKept = database.isEmbedded && existsSync(join(config.DATA_DIR, 'secret-key'))
        return config.SECRET_KEY === null && !isKept ? null : readKeys(config)
      },
      findLockedOut: (keys) => findLockedOut(owner, urls.directUrl, derivedRoles(config), keys),
      findPie: () => prepare(owner, database),
    }),
  )
}

/** The login roles for which no address is given. */
const derivedRoles = (config: Config): LoginRole[] => [
  ...(config.AUTH_DATABASE_URL === null ? (['pie_auth'] as const) : []),
  ...(config.REQUEST_DATABASE_URL === null ? (['cream'] as const) : []),
]

/** One that cannot be reached to be asked is not known to be locked out. */
async function findLockedOut(
  owner: pg.Client,
  url: Secret,
  roles: readonly LoginRole[],
  keys: readonly DerivedKeys[],
): Promise<LoginRole[]> {
  const lockedOut: LoginRole[] = []
  for (const role of roles) {
    const isKnown = await isRolePasswordKnown(owner, url, role, keys).catch(() => true)
    if (!isKnown) lockedOut.push(role)
  }
  return lockedOut
}

async function withOwner<T>(
  config: Config,
  work: (owner: pg.Client, database: FoundDatabase, urls: OwnerUrls) => Promise<T>,
): Promise<T> {
  const database = await findDatabase(config, 'command')
  try {
    const urls = ownerOf(database)
    return await asOwner(urls.directUrl, (owner) => work(owner, database, urls))
  } finally {
    await database.close()
  }
}

/**
 * On Pie's own database a command may be the first thing that is ever run. One of the operator's is made Pie's, and brought up to
 * date, by a start or by `pie migrate` and by nothing else: its address may be another's by mistake, and nodes of the version
 * before run on it.
 * @throws OperatorError where there is no Pie on it
 */
async function prepare(owner: pg.Client, { isEmbedded }: FoundDatabase): Promise<void> {
  if (isEmbedded) {
    // Whoever revokes waits for nobody's turn.
    if ((await pending(owner)).length > 0) await inTurn(owner, () => prepareDatabase(owner))
    return
  }
  if (!(await isPieThere(owner)))
    throw new OperatorError(
      'There is no Pie on this database yet. It comes with pie start, or pie migrate.',
    )
}

const pending = async (owner: pg.Client) =>
  pendingOf(await readMigrations(), await readApplied(owner))

/** A command of a newer version, on a database that it has not migrated, works as far as it can; and none on a standby. */
async function explainBehind<T>(owner: pg.Client, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (isReadOnly(cause))
      throw new OperatorError(
        'This server takes no changes: default_transaction_read_only is set on it, on the database or on the role. Nothing was changed.',
        { cause },
      )
    const { code } = cause as { code?: unknown }
    // SQLSTATE 42883, 42P01, 42703: no such function, table or column.
    if (typeof code !== 'string' || !['42883', '42P01', '42703'].includes(code)) throw cause
    const missing = await pending(owner)
    if (missing.length === 0) throw cause
    throw new OperatorError(
      `This database has not had ${missing.map(({ name }) => name).join(', ')}, which this command needs: run pie migrate first.`,
      { cause },
    )
  }
}
