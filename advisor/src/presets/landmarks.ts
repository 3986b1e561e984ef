import type pg from 'pg'
import { inReadOnly } from '../database/in-read-only.ts'
import { isRequestRole } from '../list-request-roles.ts'
import { usedHere } from '../roles-used-here.ts'

/** What a database is recognised by. */
export interface Landmarks {
  schemas: ReadonlySet<string>
  /** Those without arguments in schemas that presets know, as `auth.uid`. */
  functions: ReadonlySet<string>
  roles: ReadonlyMap<string, LandmarkRole>
}

export interface LandmarkRole {
  canLogin: boolean
  /** Whether it may connect to this database. */
  mayConnect: boolean
  /** Whether something of this database is granted to it or is its, or a policy names it: roles are the whole server's. */
  isUsedHere: boolean
  /** Whether it was granted something, or has something, in another database of the server. */
  isUsedElsewhere: boolean
  /** Whether requests may well arrive as it, so far as the catalog says. */
  mayBeRequest: boolean
  isSuperuser: boolean
  inherits: boolean
  /** Names of what is set on the role. */
  settings: readonly string[]
  /** Roles that it is a member of, directly. */
  memberOf: readonly string[]
}

/** Looks at names alone, in one round trip. */
export async function readLandmarks(client: pg.ClientBase): Promise<Landmarks> {
  const { rows } = await inReadOnly(client, () => client.query<Row>(query))
  const { schemas = [], functions = [], roles = null } = rows[0] ?? {}
  return {
    schemas: new Set(schemas),
    functions: new Set(functions),
    roles: new Map((roles ?? []).map(({ name, ...role }) => [name, role])),
  }
}

interface Row {
  schemas: string[]
  functions: string[]
  roles: (LandmarkRole & { name: string })[] | null
}

const query = `
  with recursive ${usedHere}
  select
    array(select nspname::text from pg_namespace) as schemas,
    array(
      select nspname || '.' || proname from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
      where pronargs = 0 and nspname in ('auth', 'pie_schema')
    ) as functions,
    (
      select json_agg(json_build_object(
        'name', rolname, 'canLogin', rolcanlogin,
        'mayConnect', has_database_privilege(pg_roles.oid, current_database(), 'connect'),
        'isUsedHere', pg_roles.oid in (select used.oid from used),
        'isUsedElsewhere', exists (
          select from pg_shdepend, here
          where refclassid = 'pg_authid'::regclass and refobjid = pg_roles.oid and dbid not in (0, here.oid)
        ),
        'mayBeRequest', ${isRequestRole},
        'isSuperuser', rolsuper, 'inherits', rolinherit,
        'settings', array(
          select split_part(setting, '=', 1) from pg_db_role_setting, unnest(setconfig) as setting
          where setrole = pg_roles.oid and setdatabase in (0, (select here.oid from here))
        ),
        'memberOf', array(
          select groups.rolname from pg_auth_members join pg_roles as groups on groups.oid = roleid
          where member = pg_roles.oid order by 1
        )
      ))
      from pg_roles where rolname !~ '^pg_'
    ) as roles`
