/** Does everything that can be done to some schemas, as each role, and says what Postgres has let it do. */
import pg from 'pg'
import { type Exposure, everybody } from '../../advisor/src/exposure/exposure.ts'

interface Deed {
  name: string
  /** Runs for real. The tables are empty: what is asked is whether it may. */
  sql: string
}

export async function reallyDo(
  superuser: pg.Client,
  schemas: readonly string[],
  roles: readonly string[],
): Promise<{ possible: string[]; tried: number }> {
  const deeds = [
    ...(await deedsToColumns(superuser, schemas)),
    ...(await calls(superuser, schemas)),
    ...(await deedsToSequences(superuser, schemas)),
    ...schemas.map((schema) => ({
      name: `make in ${schema}`,
      sql: `create table ${pg.escapeIdentifier(schema)}.made ()`,
    })),
  ]
  const possible: string[] = []
  await superuser.query('begin')
  await disableTriggers(superuser, schemas)
  // What has been taken in this session can be asked for again.
  for (const { name, sql } of deeds) if (name.startsWith('nextval')) await superuser.query(sql)
  for (const role of roles) {
    const taken = role === everybody ? 'stranger' : role
    await superuser.query(`set local role ${pg.escapeIdentifier(taken)}`)
    for (const { name, sql } of deeds)
      if (await isPossible(superuser, sql, name)) possible.push(`${role} ${name}`)
    await superuser.query('reset role')
  }
  await superuser.query('rollback')
  return { possible: possible.sort(), tried: deeds.length * roles.length }
}

/** Calling a function that then fails is calling it. */
async function isPossible(client: pg.Client, sql: string, name: string): Promise<boolean> {
  const isCall = name.startsWith('execute')
  try {
    await client.query(`savepoint deed; ${sql}; rollback to deed; release deed`)
    if (!/^(insert|update|delete)/.test(name)) return true
    // A rule may let everybody do it, because it makes nothing of it.
    const { rows } = await client.query(`explain ${sql}`)
    return rows.some((row) => row['QUERY PLAN'] !== 'Query rewrites to nothing')
  } catch (error) {
    await client.query('rollback to deed; release deed')
    const { message } = error as pg.DatabaseError
    return isCall && !/permission denied for (function|procedure|aggregate|schema)/.test(message)
  }
}

async function deedsToColumns(client: pg.Client, schemas: readonly string[]): Promise<Deed[]> {
  const { rows } = await client.query<{
    schema: string
    name: string
    kind: string
    columns: string[]
  }>(
    `select nspname as schema, relname as name, relkind as kind, array(
       select attname::text from pg_attribute where attrelid = pg_class.oid and attnum > 0 and not attisdropped
     ) as columns
     from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where nspname = any ($1) and relkind in ('r', 'p', 'v', 'm')`,
    [schemas],
  )
  return rows.flatMap(({ schema, name, kind, columns }) => {
    const relation = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`
    const named = `${schema}.${name}`
    const ofColumns = columns.flatMap((column) => {
      const quoted = pg.escapeIdentifier(column)
      return [
        // A materialized view that was never filled can be read by nobody yet; who may is asked.
        {
          name: `select ${named} ${column}`,
          sql: `${named === 'shop.stored_later' ? 'explain ' : ''}select ${quoted} from ${relation}`,
        },
        {
          name: `insert ${named} ${column}`,
          sql: `insert into ${relation} (${quoted}) overriding system value select null where false`,
        },
        {
          name: `update ${named} ${column}`,
          sql: `update ${relation} set ${quoted} = null`,
        },
      ]
    })
    return [
      ...ofColumns,
      { name: `delete ${named}`, sql: `delete from ${relation}` },
      ...(kind === 'r' || kind === 'p'
        ? [{ name: `truncate ${named}`, sql: `truncate ${relation} cascade` }]
        : []),
    ]
  })
}

/** What a trigger says is what only running it can show. Until the transaction is rolled back. */
export async function disableTriggers(client: pg.Client, schemas: readonly string[]) {
  const { rows } = await client.query<{ sql: string }>(
    `select format('alter table %s disable trigger user', pg_class.oid::regclass) as sql
     from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where nspname = any ($1) and relkind in ('r', 'p') and relhastriggers`,
    [schemas],
  )
  for (const { sql } of rows) await client.query(sql)
}

async function deedsToSequences(client: pg.Client, schemas: readonly string[]): Promise<Deed[]> {
  const { rows } = await client.query<{ oid: number; schema: string; name: string }>(
    `select pg_class.oid, nspname as schema, relname as name
     from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where nspname = any ($1) and relkind = 'S'`,
    [schemas],
  )
  return rows.flatMap(({ oid, schema, name }) => {
    const named = `${schema}.${name}`
    return [
      // By its number, which anybody can read.
      { name: `nextval ${named}`, sql: `select nextval(${oid}::regclass)` },
      { name: `currval ${named}`, sql: `select currval(${oid}::regclass)` },
      { name: `setval ${named}`, sql: `select setval(${oid}::regclass, 7)` },
      {
        name: `select ${named}`,
        sql: `select last_value from ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`,
      },
    ]
  })
}

/** What one role really has of another, may become, and may give away. */
export async function reallyBecome(
  superuser: pg.Client,
  roles: readonly string[],
): Promise<string[]> {
  const possible: string[] = []
  const quoted = new Map(roles.map((role) => [role, pg.escapeIdentifier(role)]))
  await superuser.query('begin; create schema marks; grant usage on schema marks to public')
  for (const sql of quoted.values())
    await superuser.query(
      `create function marks.${sql}() returns void language sql as '';
       revoke execute on function marks.${sql}() from public; grant execute on function marks.${sql}() to ${sql}`,
    )
  await superuser.query('create role somebody_else')
  for (const [role, sql] of quoted) {
    const as = `set local session authorization ${sql}`
    for (const [other, otherSql] of quoted) {
      if (other === role) continue
      const deeds = {
        has: `select marks.${otherSql}()`,
        becomes: `set local role ${otherSql}`,
        grants: `grant ${otherSql} to somebody_else`,
      }
      for (const [deed, what] of Object.entries(deeds))
        if (await isPossible(superuser, `${as}; ${what}`, deed))
          possible.push(`${role} ${deed} ${other}`)
    }
    if (await isPossible(superuser, `${as}; create role made_by_it`, 'makes'))
      possible.push(`${role} makes roles`)
  }
  await superuser.query('rollback')
  return possible.sort()
}

/** The same, as a map says it. */
export const saidToBecome = ({ roles }: Exposure): string[] =>
  roles
    .flatMap(({ name, inherits, may_become, may_grant, creates_roles }) => [
      ...inherits.map((other) => `${name} has ${other}`),
      ...may_become.map((other) => `${name} becomes ${other}`),
      ...may_grant.map((other) => `${name} grants ${other}`),
      ...(creates_roles ? [`${name} makes roles`] : []),
    ])
    .sort()

async function calls(client: pg.Client, schemas: readonly string[]): Promise<Deed[]> {
  const { rows } = await client.query<{
    schema: string
    name: string
    signature: string
    kind: string
    types: string[]
    is_strict: boolean
  }>(
    `select nspname as schema, proname as name, prokind as kind, proisstrict and proretset is false and proargtypes[0] is not null as is_strict,
       format('%I(%s)', proname, pg_get_function_identity_arguments(pg_proc.oid)) as signature,
       array(select format_type(type, null) from unnest(proargtypes) as type) as types
     from pg_proc join pg_namespace on pg_namespace.oid = pronamespace where nspname = any ($1)`,
    [schemas],
  )
  return rows.map(({ schema, name, signature, kind, types, is_strict }) => {
    const called = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`
    const nulls = types.map((type) => `null::${type}`)
    // Of null that is known while planning a strict function is not called at all.
    const sql = is_strict
      ? `select ${called}(${types.map((_, place) => `given.v${place}`).join(', ')})
         from (select ${nulls.map((one, place) => `${one} as v${place}`).join(', ')} offset 0) as given`
      : `${kind === 'p' ? 'call' : 'select'} ${called}(${nulls.join(', ')})`
    return { name: `execute ${schema}.${signature}`, sql }
  })
}

/** What a map says, in the same words. */
export function saidBy({ relations, functions, sequences, schemas }: Exposure): string[] {
  const done = relations.flatMap(({ schema, name, access }) =>
    access
      .filter(({ allowed }) => allowed)
      .flatMap(({ role, action, columns }) =>
        columns.length === 0
          ? [`${role} ${action} ${schema}.${name}`]
          : columns.map((column) => `${role} ${action} ${schema}.${name} ${column}`),
      ),
  )
  const executed = functions.flatMap(({ schema, signature, executable_by }) =>
    (schema === 'pg_catalog' ? [] : executable_by).map(
      (role) => `${role} execute ${schema}.${signature}`,
    ),
  )
  const counted = sequences.flatMap(({ schema, name, access }) =>
    access.flatMap(({ role, actions }) =>
      actions.map((action) => `${role} ${action} ${schema}.${name}`),
    ),
  )
  const made = schemas.flatMap(({ name, creatable_by }) =>
    creatable_by.map((role) => `${role} make in ${name}`),
  )
  return [...done, ...executed, ...counted, ...made].sort()
}
