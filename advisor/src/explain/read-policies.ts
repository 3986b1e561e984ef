import type pg from 'pg'
import { withPlainSearchPath } from '../database/with-plain-search-path.ts'
import type { Table } from './find-table.ts'

export interface Policy {
  name: string
  command: 'select' | 'insert' | 'update' | 'delete' | 'all'
  is_restrictive: boolean
  roles: string[]
  using: string | null
  with_check: string | null
}

/**
 * The policies of a table that apply to the current role, inherited ones included. Their expressions name
 * everything with its schema, so that they can be evaluated anywhere.
 */
export async function readPolicies(client: pg.ClientBase, { oid }: Table): Promise<Policy[]> {
  const { rows } = await withPlainSearchPath(client, () =>
    client.query<Policy>(
      `select polname as name, not polpermissive as is_restrictive,
       case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end as command,
       array(select case when role = 0 then 'public' else pg_get_userbyid(role)::text end from unnest(polroles) as role) as roles,
       pg_get_expr(polqual, polrelid) as using, pg_get_expr(polwithcheck, polrelid) as with_check
     from pg_policy
     where polrelid = $1 and exists (
       select from unnest(polroles) as role (oid) where role.oid = 0 or pg_has_role(role.oid, 'usage')
     )
     order by polname`,
      [oid],
    ),
  )
  return rows
}
