import type pg from 'pg'
import { usedHere } from './roles-used-here.ts'

/**
 * Whom requests may well arrive as, where nobody has said: roles that may log in to this database and were granted
 * something in it, and neither own anything of it nor stand above its rules.
 */
export async function listRequestRoles(owner: pg.ClientBase): Promise<string[]> {
  const { rows } = await owner.query<{ rolname: string }>(
    `with recursive ${usedHere}
     select rolname from pg_roles where ${isRequestRole} order by rolname collate "C"`,
  )
  return rows.map(({ rolname }) => rolname)
}

/** Of a row of `pg_roles`, after `usedHere`. */
export const isRequestRole = `(
  rolcanlogin and not (rolsuper or rolbypassrls or rolcreaterole or rolreplication) and rolname !~ '^pg_'
  and has_database_privilege(pg_roles.oid, current_database(), 'connect')
  and pg_roles.oid in (select used.oid from used)
  and not exists (
    select from pg_shdepend, here
    where refclassid = 'pg_authid'::regclass and refobjid = pg_roles.oid and deptype = 'o' and dbid in (0, here.oid)
  )
)`
