import type pg from 'pg'
import { inReadOnly } from '../database/in-read-only.ts'

/** What a database is recognised by. */
export interface Landmarks {
  schemas: ReadonlySet<string>
  /** Those without arguments in schemas that presets know, as `auth.uid`. */
  functions: ReadonlySet<string>
  roles: ReadonlyMap<string, LandmarkRole>
}

export interface LandmarkRole {
  canLogin: boolean
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
  select
    array(select nspname::text from pg_namespace) as schemas,
    array(
      select nspname || '.' || proname from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
      where pronargs = 0 and nspname in ('auth', 'pie_schema')
    ) as functions,
    (
      select json_agg(json_build_object(
        'name', rolname, 'canLogin', rolcanlogin, 'isSuperuser', rolsuper, 'inherits', rolinherit,
        'settings', array(
          select split_part(setting, '=', 1) from pg_db_role_setting, unnest(setconfig) as setting
          where setrole = pg_roles.oid
        ),
        'memberOf', array(
          select groups.rolname from pg_auth_members join pg_roles as groups on groups.oid = roleid
          where member = pg_roles.oid order by 1
        )
      ))
      from pg_roles where rolname !~ '^pg_'
    ) as roles`
