import type pg from 'pg'

/**
 * Works in the transaction that is open, in which new objects are granted to nobody but by what the work
 * says itself. An owner may have default privileges for all that it makes (`alter default privileges
 * grant all on tables to …`): Pie's tables and functions would be given away with them.
 */
export async function withoutDefaultPrivileges(
  owner: pg.Client,
  work: () => Promise<void>,
): Promise<void> {
  const { rows } = await owner.query<{ take: string; give: string }>(defaultPrivileges)
  for (const { take } of rows) await owner.query(take)
  await work()
  for (const { give } of rows) await owner.query(give)
}

/** Those of the owner that reach Pie's schemas, each as the statements that take it away and give it back. */
const defaultPrivileges = `
  select format('alter default privileges %srevoke %s on %s from %s', place, privilege, kind, grantee) as take,
    format('alter default privileges %sgrant %s on %s to %s%s', place, privilege, kind, grantee, option) as give
  from (
    select case when nspname is null then '' else format('in schema %I ', nspname) end as place,
      granted.privilege_type as privilege,
      case defaclobjtype
        when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
        when 'T' then 'types' when 'n' then 'schemas' when 'L' then 'large objects'
      end as kind,
      case granted.grantee when 0 then 'public' else granted.grantee::regrole::text end as grantee,
      case when granted.is_grantable then ' with grant option' else '' end as option
    from pg_catalog.pg_default_acl
    left join pg_catalog.pg_namespace on pg_namespace.oid = defaclnamespace
    cross join lateral aclexplode(defaclacl) as granted
    where defaclrole = current_user::regrole and granted.grantee <> defaclrole
      and (defaclnamespace = 0 or nspname in ('pie_schema', 'pie_private', 'pie_hooks'))
  ) as given`
