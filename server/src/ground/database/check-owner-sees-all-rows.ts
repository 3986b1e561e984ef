import type pg from 'pg'
import { OperatorError } from '../errors.ts'

interface Guarded {
  name: string
  is_open: boolean
}

/**
 * Looks whether row-level security hides a row from this role: pg_dump would leave it out, and say
 * nothing. Returns whether row-level security applies to it at all.
 *
 * @throws OperatorError naming the tables of which it may not see every row
 */
export async function checkOwnerSeesAllRows(owner: pg.Client): Promise<boolean> {
  const { rows } = await owner.query<Guarded>(guardedTables)
  const hidden = rows.filter(({ is_open }) => !is_open).map(({ name }) => name)
  if (hidden.length === 0) return rows.length > 0
  const [first] = hidden
  throw new OperatorError(
    `Row-level security hides rows from the owner in ${hidden.join(', ')}: they would be missing in the backup. ` +
      `Give it a policy for all of them: create policy … on ${first} to current_user using (true) with check (true), ` +
      'with no restrictive policy for it; or back up as a role with BYPASSRLS.',
  )
}

/** Only what is written as `true` is known to be true of every row. */
const guardedTables = `
  select pg_class.oid::regclass::text as name,
    coalesce(bool_or(is_true) filter (where polpermissive), false)
      and coalesce(bool_and(is_true) filter (where not polpermissive), true) as is_open
  from pg_catalog.pg_class
  join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
  left join lateral (
    select polpermissive, coalesce(pg_get_expr(polqual, polrelid) = 'true', false) as is_true
    from pg_catalog.pg_policy
    where polrelid = pg_class.oid and polcmd in ('*', 'r') and exists (
      select from unnest(polroles) as role where role = 0 or pg_has_role(role, 'usage'))
  ) as policies on true
  where relkind in ('r', 'p') and nspname !~ '^pg_' and nspname <> 'information_schema'
    and row_security_active(pg_class.oid)
  group by pg_class.oid
  order by 1`
