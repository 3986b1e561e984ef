import pg from 'pg'

/**
 * Gives what was for one role to the role that works here: it is in policies, grants and default
 * privileges of what has been restored. Everything there is owned by this one already.
 */
export async function handOver(owner: pg.Client, from: string): Promise<void> {
  for (const select of [policies, grants, defaultPrivileges]) {
    const { rows } = await owner.query<{ statement: string }>(select, [from])
    for (const { statement } of rows) await owner.query(statement)
  }
}

/** Takes away a role that was made to restore what names it, with what is still granted to it. */
export async function dropHelper(owner: pg.Client, name: string): Promise<void> {
  await owner.query(`drop owned by ${pg.escapeIdentifier(name)}`)
  await owner.query(`drop role ${pg.escapeIdentifier(name)}`)
}

const policies = `
  select format('alter policy %I on %s to %s', polname, polrelid::regclass, (
    select string_agg(
      case role when 0 then 'public' when $1::regrole then 'current_user' else role::regrole::text end, ', ')
    from unnest(polroles) as role
  )) as statement
  from pg_catalog.pg_policy where $1::regrole = any (polroles)`

const grants = `
  select format('grant %s on %s %s to current_user%s', privilege_type, kind, name,
    case when is_grantable then ' with grant option' end) as statement
  from (
    select 'schema' as kind, oid::regnamespace::text as name, nspacl as acl from pg_catalog.pg_namespace
    union all
    select case relkind when 'S' then 'sequence' else 'table' end, oid::regclass::text, relacl from pg_catalog.pg_class
    union all
    select 'routine', oid::regprocedure::text, proacl from pg_catalog.pg_proc
    union all
    select 'type', oid::regtype::text, typacl from pg_catalog.pg_type
  ) as things cross join aclexplode(acl)
  where grantee = $1::regrole`

const defaultPrivileges = `
  with defaults as (
    select defaclacl as acl, defaclnamespace = 0 as is_global,
      case when defaclnamespace = 0 then '' else format('in schema %s ', defaclnamespace::regnamespace) end as place,
      case defaclobjtype
        when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
        when 'T' then 'types' when 'n' then 'schemas' when 'L' then 'large objects'
      end as kind
    from pg_catalog.pg_default_acl where defaclrole = $1::regrole
  )
  select format('alter default privileges revoke all on %s from public', kind) as statement
  from defaults where is_global
  union all
  select format('alter default privileges %sgrant %s on %s to %s%s', place, privilege_type, kind,
    case grantee when 0 then 'public' when $1::regrole then 'current_user' else grantee::regrole::text end,
    case when is_grantable then ' with grant option' end)
  from defaults cross join aclexplode(acl)`
