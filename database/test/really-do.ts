/** Does everything that can be done to some schemas, as each role, and says what Postgres has let it do. */
import pg from 'pg'
import { everybody } from '../../advisor/src/exposure/exposure.ts'

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
  ]
  const possible: string[] = []
  await superuser.query('begin')
  for (const role of roles) {
    const taken = role === everybody ? 'stranger' : role
    await superuser.query(`set local role ${pg.escapeIdentifier(taken)}`)
    for (const { name, sql } of deeds)
      if (await isPossible(superuser, sql, name.startsWith('execute')))
        possible.push(`${role} ${name}`)
    await superuser.query('reset role')
  }
  await superuser.query('rollback')
  return { possible: possible.sort(), tried: deeds.length * roles.length }
}

/** Calling a function that then fails is calling it. */
async function isPossible(client: pg.Client, sql: string, isCall: boolean): Promise<boolean> {
  try {
    await client.query(`savepoint deed; ${sql}; rollback to deed; release deed`)
    return true
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
        ? [{ name: `truncate ${named}`, sql: `truncate ${relation}` }]
        : []),
    ]
  })
}

async function calls(client: pg.Client, schemas: readonly string[]): Promise<Deed[]> {
  const { rows } = await client.query<{
    schema: string
    name: string
    signature: string
    kind: string
    types: string[]
  }>(
    `select nspname as schema, proname as name, prokind as kind,
       format('%I(%s)', proname, pg_get_function_identity_arguments(pg_proc.oid)) as signature,
       array(select format_type(type, null) from unnest(proargtypes) as type) as types
     from pg_proc join pg_namespace on pg_namespace.oid = pronamespace where nspname = any ($1)`,
    [schemas],
  )
  return rows.map(({ schema, name, signature, kind, types }) => ({
    name: `execute ${schema}.${signature}`,
    sql: `${kind === 'p' ? 'call' : 'select'} ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}(${types
      .map((type) => `null::${type}`)
      .join(', ')})`,
  }))
}
