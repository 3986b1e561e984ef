import type pg from 'pg'

/**
 * Whom requests may well arrive as, where nobody has said: roles that log in, and neither own anything of the
 * database nor stand above its rules.
 */
export async function listRequestRoles(owner: pg.ClientBase): Promise<string[]> {
  const { rows } = await owner.query<{ rolname: string }>(
    `select rolname from pg_roles
     where rolcanlogin and not (rolsuper or rolbypassrls or rolcreaterole or rolreplication) and rolname !~ '^pg_'
       and not exists (
         select from pg_shdepend
         where refclassid = 'pg_authid'::regclass and refobjid = pg_roles.oid and deptype = 'o'
           and dbid in (0, (select oid from pg_database where datname = current_database()))
       )
     order by rolname collate "C"`,
  )
  return rows.map(({ rolname }) => rolname)
}
