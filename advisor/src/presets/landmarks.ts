import type pg from 'pg'

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

/** Looks at names alone, in one round trip, without keeping a lock. */
export async function readLandmarks(client: pg.ClientBase): Promise<Landmarks> {
  await client.query('begin transaction read only')
  try {
    await client.query(
      `set local search_path = pg_catalog, pg_temp; set local statement_timeout = '30s'`,
    )
    const { rows } = await client.query<{
      schemas: string[]
      functions: string[]
      roles: (LandmarkRole & { name: string })[] | null
    }>(
      `select
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
               select role_of.rolname from pg_auth_members join pg_roles as role_of on role_of.oid = roleid
               where member = pg_roles.oid order by 1
             )
           ))
           from pg_roles where rolname !~ '^pg_'
         ) as roles`,
    )
    const { schemas = [], functions = [], roles = [] } = rows[0] ?? {}
    return {
      schemas: new Set(schemas),
      functions: new Set(functions),
      roles: new Map((roles ?? []).map(({ name, ...role }) => [name, role])),
    }
  } finally {
    await client.query('rollback')
  }
}
