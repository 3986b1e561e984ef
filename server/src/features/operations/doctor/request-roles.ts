/**
 * The roles that a request can become: the two login roles, the two that Pie makes of them, and whatever these have been made
 * members of. $1 and $2 are the login roles.
 */
export const requestRoles = `
  with recursive request_roles (oid, name) as (
    select pg_roles.oid, pg_roles.rolname from pg_roles where pg_roles.rolname in ($1, $2, 'webuser', 'webadmin')
    union
    select pg_roles.oid, pg_roles.rolname
    from request_roles
    join pg_auth_members on pg_auth_members.member = request_roles.oid
    join pg_roles on pg_roles.oid = pg_auth_members.roleid
  )`

/** The four that Pie itself knows. */
export const isOwnRole = (name: string): string => `${name} in ($1, $2, 'webuser', 'webadmin')`

/** Everybody, or one of those that a request can become. */
export const isRequest = (grantee: string): string =>
  `(${grantee} = 0 or ${grantee} in (select request_roles.oid from request_roles))`

export const nameOf = (grantee: string): string =>
  `case ${grantee} when 0 then 'public' else ${grantee}::regrole::text end`

/**
 * SQL by which the owner, $3, does something as a role of requests. One who is no superuser may have to be let take the role
 * first: who has made it may grant it, and since 16 not become it. What has been granted before stays.
 */
export const actingAs = (role: string, doing: string): string =>
  `(select case when pg_has_role($3::name, ${role}, ${maySet}) then format('set role %I; ', ${role}) || ${doing} || ' reset role;'
    else format('grant %I to %I%s; set role %I; ', ${role}, $3::name, case when ${is16} then ' with set true' end, ${role})
      || ${doing} || case when ${is16} and exists (
        select from pg_auth_members
        where pg_auth_members.roleid = (select pg_roles.oid from pg_roles where pg_roles.rolname = ${role})
          and pg_auth_members.member = (select pg_roles.oid from pg_roles where pg_roles.rolname = $3::name)
          and pg_auth_members.grantor = pg_auth_members.member
      ) then format(' reset role; grant %I to %I with set false;', ${role}, $3::name)
      else format(' reset role; revoke %I from %I;', ${role}, $3::name) end
    end)`

const is16 = `current_setting('server_version_num')::integer >= 160000`
const maySet = `case when ${is16} then 'SET' else 'MEMBER' end`
