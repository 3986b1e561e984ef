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
