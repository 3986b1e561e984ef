import type pg from 'pg'

/** What else goes by the name of a table that is not there: a slip of the schema, of the case, or of the kind. */
export async function whatElseItIs(owner: pg.ClientBase, given: string): Promise<string> {
  const name = given.split('.').at(-1)?.replaceAll('"', '').toLowerCase() ?? ''
  const { rows } = await owner.query<{ shown: string; is_function: boolean }>(
    `select format('%I.%I', nspname, relname) as shown, false as is_function
     from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where lower(relname) = $1 and relkind in ('r', 'p', 'v', 'm', 'f')
     union all
     select format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(pg_proc.oid)), true
     from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
     where lower(proname) = $1 and nspname <> 'pg_catalog'
     order by is_function, shown limit 3`,
    [name.replace(/\(.*$/s, '')],
  )
  const tables = rows.filter(({ is_function }) => !is_function).map(({ shown }) => shown)
  if (tables.length > 0) return ` There is ${tables.join(', ')}.`
  const [called] = rows
  return called === undefined ? '' : ` ${called.shown} is a function, and has no rows.`
}
