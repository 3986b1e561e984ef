import type pg from 'pg'
import type { Action, Grant } from './explanation.ts'
import type { Table } from './find-table.ts'

/** What the current role has been granted on a table. */
export interface Granted {
  /** What the action needs, in the order in which Postgres asks. */
  needs: Grant[]
  /** The columns that can be read. */
  readable: string[]
  /** The columns that can be updated. */
  updatable: string[]
  /** The columns that can be given to an insert. */
  insertable: string[]
}

/**
 * @param written the columns that are to be written; null where any will do
 * @param foundBy the columns that the statement finds its row by, and so reads; none where it finds none
 */
export async function checkGrants(
  client: pg.ClientBase,
  table: Table,
  action: Action,
  { written, foundBy }: { written: string[] | null; foundBy: readonly string[] },
): Promise<Granted> {
  const { rows } = await client.query<Held>(
    `select quote_ident(current_user) as role, quote_ident($1) as schema, has_schema_privilege($1::text, 'usage') as uses,
       has_table_privilege($2::oid, 'delete') as deletes, has_any_column_privilege($2::oid, 'insert') as inserts,
       array(select attname::text from pg_attribute where ${ofTable} and has_column_privilege($2::oid, attnum, 'select')) as readable,
       array(select attname::text from pg_attribute where ${ofTable} and has_column_privilege($2::oid, attnum, 'insert')) as insertable,
       array(select attname::text from pg_attribute where ${ofTable} and has_column_privilege($2::oid, attnum, 'update')) as updatable`,
    [table.schema, table.oid],
  )
  const held = rows[0] as Held
  const to = `to ${held.role}`
  const needs: Grant[] = [
    {
      what: `usage of the schema ${table.schema}`,
      is_granted: held.uses,
      mend: `grant usage on schema ${held.schema} ${to}`,
    },
    needOf(table, action, held, written, to),
  ]
  // Whoever may read nothing yet is told so by the need before, for a select.
  const isReading = action !== 'select' || held.readable.length > 0
  if (foundBy.length > 0 && isReading) needs.push(...needsOfKey(table, foundBy, held, to))
  return {
    needs,
    readable: held.readable,
    updatable: held.updatable,
    insertable: held.insertable,
  }
}

const ofTable = 'attrelid = $2 and attnum > 0 and not attisdropped'

interface Held {
  /** Quoted where it has to be. */
  role: string
  schema: string
  uses: boolean
  deletes: boolean
  inserts: boolean
  readable: string[]
  insertable: string[]
  updatable: string[]
}

function needOf(
  table: Table,
  action: Action,
  held: Held,
  written: string[] | null,
  to: string,
): Grant {
  if (action === 'select')
    return {
      what: describe('select', table, held.readable, null),
      is_granted: held.readable.length > 0,
      mend: `grant select on ${table.name} ${to}`,
    }
  if (action === 'delete')
    return {
      what: `delete on ${table.name}`,
      is_granted: held.deletes,
      mend: `grant delete on ${table.name} ${to}`,
    }
  const may = action === 'insert' ? held.insertable : held.updatable
  const missing = written?.filter((name) => !may.includes(name)) ?? []
  const wanted = table.columns.filter(({ name, is_key, generation_expression }) =>
    missing.length > 0 ? missing.includes(name) : !is_key && generation_expression === null,
  )
  return {
    what: describe(action, table, may, written),
    is_granted: written === null || written.length === 0 ? may.length > 0 : missing.length === 0,
    mend: `grant ${action} (${wanted.map(({ quoted }) => quoted).join(', ')}) on ${table.name} ${to}`,
  }
}

/** Said only where not all may be read. */
function needsOfKey(table: Table, foundBy: readonly string[], held: Held, to: string): Grant[] {
  if (held.readable.length === table.columns.length) return []
  const unread = table.columns.filter(
    ({ name }) => foundBy.includes(name) && !held.readable.includes(name),
  )
  const columns = unread.map(({ quoted }) => quoted).join(', ')
  return [
    {
      what: `select of ${foundBy.join(', ')}, because the row is found by it`,
      is_granted: unread.length === 0,
      mend: `grant select (${columns}) on ${table.name} ${to}`,
    },
  ]
}

/** `update of title on app.notes` */
function describe(
  action: Action,
  { name, columns }: Table,
  may: string[],
  written: string[] | null,
): string {
  const some = written ?? (may.length > 0 && may.length < columns.length ? may : [])
  return some.length === 0 ? `${action} on ${name}` : `${action} of ${some.join(', ')} on ${name}`
}
