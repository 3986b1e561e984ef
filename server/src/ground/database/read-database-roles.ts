import type pg from 'pg'

export interface Setting {
  name: string
  value: string
}

/** A role that something in the database is granted to, or a policy is for. Never its password. */
export interface BackedUpRole {
  name: string
  attributes: {
    login: boolean
    inherit: boolean
    superuser: boolean
    createdb: boolean
    createrole: boolean
    replication: boolean
    bypassrls: boolean
    connection_limit: number
  }
  /** Who is a member of it. Before Postgres 16 nobody can say how: null. */
  members: { name: string; admin: boolean; inherit: boolean | null; set: boolean | null }[]
  /** Everywhere on the server, and in this database alone. */
  settings: Setting[]
  database_settings: Setting[]
}

/** What belongs to a database and is in no dump of it. */
export interface DatabaseRoles {
  /** All but the owner. */
  roles: BackedUpRole[]
  /** What others than the database's owner may do with it; null is PUBLIC. */
  database_acl: { grantee: string | null; privilege: string; grantable: boolean }[]
  database_settings: Setting[]
}

/** Reads which roles a database needs on its server, and what is said of the database itself. */
export async function readDatabaseRoles(owner: pg.Client): Promise<DatabaseRoles> {
  const roles = await owner.query<{ role: BackedUpRole }>(selectRoles)
  const database = await owner.query<Omit<DatabaseRoles, 'roles'>>(selectDatabase)
  const { database_acl = [], database_settings = [] } = database.rows[0] ?? {}
  return { roles: roles.rows.map(({ role }) => role), database_acl, database_settings }
}

/** A setting is stored as `name=value`. */
const settingsOf = (role: string, database: string) => `(
  select coalesce(json_agg(json_build_object(
    'name', split_part(setting, '=', 1), 'value', substr(setting, strpos(setting, '=') + 1))), '[]')
  from pg_catalog.pg_db_role_setting, unnest(setconfig) as setting
  where setrole = ${role} and setdatabase = ${database}
)`

/**
 * The superuser that initdb made is a dependency of nothing, because it always is there: on this server.
 * What it owns it owns by itself, but what is granted to it, is granted to it in a dump too.
 */
const selectRoles = `
  with here as (
    select oid from pg_catalog.pg_database where datname = current_database()
  ), acls as (
    select relacl as acl from pg_catalog.pg_class where oid >= 16384
    union all select proacl from pg_catalog.pg_proc where oid >= 16384
    union all select nspacl from pg_catalog.pg_namespace where oid >= 16384
  ), needed as (
    select refobjid as oid from pg_catalog.pg_shdepend, here
    where refclassid = 'pg_authid'::regclass
      and (dbid = here.oid or classid = 'pg_database'::regclass and objid = here.oid)
      and (deptype <> 'o' or classid = 'pg_default_acl'::regclass)
    union select grantee from acls cross join aclexplode(acl) where grantee = 10
    union select oid from pg_catalog.pg_roles where rolname in ('pie_auth', 'cream', 'webuser', 'webadmin')
  ), chosen as (
    select pg_roles.* from pg_catalog.pg_roles join needed using (oid)
    where rolname !~ '^pg_' and rolname <> current_user
  ), memberships as (
    select roleid, member, bool_or(admin_option) as admin,
      bool_or((to_jsonb(granted)->>'inherit_option')::boolean) as inherit,
      bool_or((to_jsonb(granted)->>'set_option')::boolean) as set
    from pg_catalog.pg_auth_members as granted
    group by roleid, member
  )
  select json_build_object(
    'name', rolname,
    'attributes', json_build_object(
      'login', rolcanlogin, 'inherit', rolinherit, 'superuser', rolsuper, 'createdb', rolcreatedb,
      'createrole', rolcreaterole, 'replication', rolreplication, 'bypassrls', rolbypassrls,
      'connection_limit', rolconnlimit),
    'members', (
      select coalesce(json_agg(json_build_object(
        'name', members.rolname, 'admin', admin, 'inherit', inherit, 'set', set) order by members.rolname), '[]')
      from memberships join pg_catalog.pg_roles as members on members.oid = member
      where roleid = chosen.oid and (
        member in (select chosen.oid from chosen)
        -- Whoever makes a role from 16 on may give it to others, and is no member for that.
        or members.rolname = current_user and (coalesce(inherit, true) or coalesce(set, true)))
    ),
    'settings', ${settingsOf('chosen.oid', '0')},
    'database_settings', ${settingsOf('chosen.oid', '(select oid from here)')}
  ) as role
  from chosen order by rolname`

const selectDatabase = `
  select (
    select coalesce(json_agg(json_build_object(
      'grantee', (select rolname from pg_catalog.pg_roles where oid = granted.grantee),
      'privilege', granted.privilege_type, 'grantable', granted.is_grantable)), '[]')
    from aclexplode(coalesce(datacl, acldefault('d', datdba))) as granted
    where granted.grantee <> datdba
  ) as database_acl, ${settingsOf('0', 'pg_database.oid')} as database_settings
  from pg_catalog.pg_database where datname = current_database()`
