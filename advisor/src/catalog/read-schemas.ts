import type { Schema } from './catalog.ts'
import { extensionOf, isPassing, type Reading } from './reading.ts'

interface SchemaRow extends Omit<Schema, 'acl' | 'isAsked'> {
  acl: string[]
}

export async function readSchemas({ ask, readAcl, asked }: Reading): Promise<Map<number, Schema>> {
  const rows = await ask<SchemaRow>(`
    select n.oid, nspname as name, quote_ident(nspname) as sql, nspowner as owner,
      coalesce(nspacl, acldefault('n', nspowner))::text[] as acl, description as comment,
      nspname in ('pg_catalog', 'information_schema') as "isOfPostgres",
      ${extensionOf('pg_namespace', 'n.oid')} as extension
    from pg_namespace as n
    left join pg_description on classoid = 'pg_namespace'::regclass and objoid = n.oid
    where not ${isPassing('nspname')}
    order by nspname collate "C"`)
  const names = new Set(asked)
  return new Map(
    rows.map((row) => [row.oid, { ...row, acl: readAcl(row.acl), isAsked: names.has(row.name) }]),
  )
}
