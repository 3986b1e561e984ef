import type { Role } from './catalog.ts'
import type { Reading } from './reading.ts'

type RoleRow = Omit<Role, 'memberships' | 'settings'> & { settings: string[] }

interface MembershipRow {
  member: number
  role: number
  admin: boolean
  inherit: boolean | null
  set: boolean | null
}

/** Every role of the server, with what it is a member of. */
export async function readRoles(ask: Reading['ask']): Promise<Map<number, Role>> {
  const rows = await ask<RoleRow>(`
    select oid, rolname as name, quote_ident(rolname) as sql, rolcanlogin as "canLogin", rolsuper as "isSuperuser",
      rolbypassrls as "bypassesRowSecurity", rolinherit as inherits, rolcreaterole as "createsRoles",
      rolcreatedb as "createsDatabases", rolreplication as replicates, array(
        select setting from pg_db_role_setting, unnest(setconfig) as setting
        where setrole = pg_roles.oid and setdatabase in (0, (select oid from pg_database where datname = current_database()))
        order by setdatabase
      ) as settings
    from pg_roles`)
  const roles = new Map<number, Role>(rows.map((row) => [row.oid, { ...row, memberships: [] }]))
  // Before 16 a membership has no options of its own.
  const memberships = await ask<MembershipRow>(`
    select member, roleid as role, bool_or(admin_option) as admin,
      bool_or((to_jsonb(m) ->> 'inherit_option')::boolean) as inherit, bool_or((to_jsonb(m) ->> 'set_option')::boolean) as set
    from pg_auth_members as m group by member, roleid`)
  for (const { member, role, admin, inherit, set } of memberships) {
    const of = roles.get(member)
    of?.memberships.push({ role, admin, inherit: inherit ?? of.inherits, set: set ?? true })
  }
  return roles
}
