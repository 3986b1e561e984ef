/** Tries everything that can be done to a table, column by column, and says what came of it. */
import pg from 'pg'
import { authenticate, type Person } from './people.ts'

/** The keys of the rows that were seen or changed, or the SQLSTATE of the refusal. */
export type Outcome = string[] | string

export interface Access {
  select: Outcome
  insert: Record<string, Outcome>
  update: Record<string, Outcome>
  delete: Outcome
  truncate: Outcome
}

/** Somebody who signs in, or a database role that is taken without anybody's session. */
export type Actor = Person | 'nobody' | 'webuser' | 'webadmin'

/**
 * Tries everything as this actor, in a transaction that is rolled back.
 * @param key an expression that names a row
 */
export async function accessOf(
  client: pg.Client,
  actor: Actor,
  table: string,
  key: string,
  columns: readonly string[],
): Promise<Access> {
  await client.query('begin')
  try {
    await become(client, actor)
    const access: Access = {
      select: await attempt(client, `select ${key} as key from ${table}`),
      insert: {},
      update: {},
      delete: await attempt(client, `delete from ${table}`),
      truncate: await attempt(client, `truncate ${table} cascade`),
    }
    for (const column of columns) {
      access.insert[column] = await attempt(
        client,
        `insert into ${table} (${column}) values (default)`,
      )
      access.update[column] = await attempt(
        client,
        `update ${table} set ${column} = default returning ${key} as key`,
      )
    }
    return access
  } finally {
    await client.query('rollback')
  }
}

async function become(client: pg.Client, actor: Actor): Promise<void> {
  if (actor === 'nobody') return
  if (typeof actor === 'string') await client.query(`set local role ${actor}`)
  else await authenticate(client, actor.session)
}

async function attempt(client: pg.Client, sql: string): Promise<Outcome> {
  await client.query('savepoint attempt')
  try {
    const { rows } = await client.query<{ key: string }>(sql)
    return rows.map(({ key }) => key).sort()
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error
    return error.code ?? ''
  } finally {
    await client.query('rollback to attempt')
  }
}

/** What is expected of somebody who may do no more than this. */
export function nothingBut(
  columns: readonly string[],
  allowed: { select?: string[]; update?: Record<string, string[]> },
): Access {
  const refused = '42501'
  return {
    select: allowed.select?.sort() ?? refused,
    insert: Object.fromEntries(columns.map((column) => [column, refused])),
    update: Object.fromEntries(
      columns.map((column) => [column, allowed.update?.[column]?.sort() ?? refused]),
    ),
    delete: refused,
    truncate: refused,
  }
}
