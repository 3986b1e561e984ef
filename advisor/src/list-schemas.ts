import type pg from 'pg'

/** All schemas but those of Postgres, of extensions, and of others. @param others by name: a platform's, say */
export async function listSchemas(
  client: pg.ClientBase,
  others: readonly string[],
): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select nspname as name from pg_namespace
     where nspname !~ '^pg_' and nspname <> 'information_schema' and nspname <> all ($1) and not exists (
       select from pg_depend
       where classid = 'pg_namespace'::regclass and objid = pg_namespace.oid and deptype = 'e'
     ) order by nspname collate "C"`,
    [others],
  )
  return rows.map(({ name }) => name)
}
