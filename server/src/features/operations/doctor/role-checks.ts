import type { Check } from './finding.ts'
import { isOwnRole, requestRoles } from './request-roles.ts'

const past = 'It could act past row-level security.'

/** Since 16 a membership is taken away by whoever gave it. */
const grantedBy = `case when current_setting('server_version_num')::integer >= 160000 then ' granted by ' || pg_auth_members.grantor::regrole else '' end`

/** What a role is, and what it may become. Roles are the server's: another database's operator may have changed them. */
export const roleChecks: Check[] = [
  {
    name: 'role-attributes',
    weight: 'opens',
    why: past,
    query: `${requestRoles}
      select format('role %I', rolname) as object, what,
        format(mend, rolname) as mend,
        -- Whoever gives the owner's address should not be told to make it less than that.
        case when attribute = 'superuser' and rolname in ($1, $2)
          then 'It could act past row-level security. Give the address of a role that is Pie’s alone.' end as why,
        not (attribute = 'superuser' and rolname in ($1, $2)) as is_safe
      from request_roles join pg_roles using (oid)
      cross join lateral (values
        (rolsuper, 'superuser', 'is a superuser', 'alter role %I nosuperuser;'),
        (rolbypassrls, 'bypassrls', 'bypasses row-level security', 'alter role %I nobypassrls;'),
        (rolinherit and rolname in ($1, $2), 'inherit', 'inherits the rights of other roles', 'alter role %I noinherit;'),
        (rolcreaterole, 'createrole', 'may make and grant roles', 'alter role %I nocreaterole;'),
        (rolreplication, 'replication', 'may replicate every table', 'alter role %I noreplication;'),
        (rolcreatedb, 'createdb', 'may make databases', 'alter role %I nocreatedb;')
      ) as attributes (is_set, attribute, what, mend)
      where is_set and ${isOwnRole('rolname')}`,
  },
  {
    name: 'role-login',
    weight: 'hinders',
    why: 'Nobody connects as the role that a request becomes: it is reached through a login role, by proving a session.',
    query: `select format('role %I', rolname) as object, 'may log in' as what, format('alter role %I nologin;', rolname) as mend
      from pg_roles where rolname in ('webuser', 'webadmin') and rolcanlogin`,
  },
  {
    name: 'role-cannot-log-in',
    weight: 'opens',
    why: 'Nobody is served without it.',
    query: `select format('role %I', rolname) as object, what, format(mend, rolname) as mend
      from pg_roles
      cross join lateral (values
        (not rolcanlogin, 'may not log in', 'alter role %I login;'),
        (rolvaliduntil < now(), 'has a password that has run out', 'alter role %I valid until ''infinity'';'),
        (rolconnlimit between 0 and 3, format('may have %s connections', rolconnlimit), 'alter role %I connection limit -1;')
      ) as faults (is_so, what, mend)
      where is_so and rolname in ($1, $2)
      union all
      select format('role %I', rolname), format('may not connect to the database %I', current_database()),
        format('grant connect on database %I to %I;', current_database(), rolname)
      from pg_roles where rolname in ($1, $2) and not has_database_privilege(pg_roles.oid, current_database(), 'connect')`,
  },
  {
    name: 'role-members',
    weight: 'hinders',
    why: 'Whoever is a member of a role of Pie’s acts as it, and is looked at by nobody.',
    query: `select format('role %I', member.rolname) as object, format('may act as %s', role.rolname) as what,
        format('revoke %I from %I%s;', role.rolname, member.rolname, ${grantedBy}) as mend
      from pg_auth_members
      join pg_roles as role on role.oid = pg_auth_members.roleid
      join pg_roles as member on member.oid = pg_auth_members.member
      where ${isOwnRole('role.rolname')} and not (${isOwnRole('member.rolname')})
        and not member.rolsuper and not member.rolcreaterole and member.rolname <> $3`,
    isSafe: false,
  },
  {
    name: 'role-membership',
    weight: 'opens',
    why: past,
    query: `${requestRoles}
      select format('role %I', member.name) as object, format('is a member of %s', role.rolname) as what,
        format('revoke %I from %I%s;', role.rolname, member.name, ${grantedBy}) as mend
      from request_roles as member
      join pg_auth_members on pg_auth_members.member = member.oid
      join pg_roles as role on role.oid = pg_auth_members.roleid
      where ${isOwnRole('member.name')}
        and (member.name, role.rolname) not in (($1, 'webuser'), ($1, 'webadmin'), ('webadmin', 'webuser'))`,
  },
  {
    name: 'role-membership-options',
    weight: 'opens',
    why: 'A role of requests may pass none of its memberships on; and since PostgreSQL 16 a grant can say that its member inherits, whatever the role says, and would have the rights without proving a session.',
    // Columns of 16 and later are read as JSON, because 15 has not got them.
    query: `select format('role %I', member.rolname) as object,
        case when admin_option then format('may pass on its membership of %s', role.rolname)
          else format('inherits the rights of %s by the grant itself', role.rolname) end as what,
        case when admin_option then format('revoke admin option for %I from %I%s;', role.rolname, member.rolname, ${grantedBy})
          else format('grant %I to %I with inherit false%s;', role.rolname, member.rolname, ${grantedBy}) end as mend
      from pg_auth_members
      join pg_roles as role on role.oid = roleid
      join pg_roles as member on member.oid = pg_auth_members.member
      where ${isOwnRole('member.rolname')}
        and (admin_option or (
          member.rolname in ($1, $2) and coalesce((to_jsonb(pg_auth_members) ->> 'inherit_option')::boolean, false)
        ))`,
  },
  {
    name: 'role-missing-membership',
    weight: 'opens',
    why: 'Requests fail without it.',
    query: `select format('role %I', $1::text) as object, format('may not become %s', role.rolname) as what,
        format('grant %I to %I;', role.rolname, $1::text) as mend
      from pg_roles as role
      where role.rolname in ('webuser', 'webadmin')
        and not exists (
          select from pg_auth_members join pg_roles as member on member.oid = pg_auth_members.member
          where roleid = role.oid and member.rolname = $1
        )
        and not exists (select from pg_roles where rolname = $1 and rolsuper)`,
  },
  {
    name: 'role-cannot-begin',
    weight: 'opens',
    why: 'Leave its address out, or grant it what 0002-roles.sql and the migrations after it grant to pie_auth or cream.',
    query: `select format('role %I', login) as object, 'may not do what Pie does with it' as what, null as mend
      from (values ($1::text, 'authenticate'), ($2::text, 'list_signing_keys')) as beginnings (login, beginning)
      where exists (select from pg_roles where rolname = login)
        and not exists (
          select from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
          where nspname = 'pie_private' and proname = beginning
            and has_schema_privilege(login, pg_namespace.oid, 'usage') and has_function_privilege(login, pg_proc.oid, 'execute')
        )`,
  },
  {
    name: 'role-cannot-be-ended',
    weight: 'hinders',
    why: 'A request that keeps a lock which others wait for is ended, by the owner’s right. Without it, SQL that got in through a hole holds up whoever ends its user’s sessions.',
    query: `select format('role %I', owner.rolname) as object, format('may not end connections of %I', $1::text) as what,
        format('grant %I to %I%s;', $1::text, owner.rolname,
          case when current_setting('server_version_num')::integer >= 160000 then ' with inherit true, set false' else '' end) as mend
      from pg_roles as owner
      join pg_roles as requests on requests.rolname = $1
      where owner.rolname = $3 and owner.rolname not in ($1, $2)
        and not pg_has_role(owner.oid, requests.oid, 'usage') and not pg_has_role(owner.oid, 'pg_signal_backend', 'usage')`,
  },
  {
    name: 'role-settings',
    weight: 'hinders',
    why: 'It holds for every new connection of the role. Any SQL that gets in through a hole may leave it there: a role may change its own settings.',
    query: `${requestRoles}, settings as (
        select request_roles.name as role, datname, split_part(setting, '=', 1) as name, substr(setting, strpos(setting, '=') + 1) as value
        from request_roles
        join pg_db_role_setting on setrole = request_roles.oid
        left join pg_database on pg_database.oid = setdatabase
        cross join lateral unnest(setconfig) as setting
      )
      select format('role %I', role) as object,
        format('has the setting %s = %L%s', name, value, ' in the database ' || datname) as what,
        format('alter role %I%s reset %s;', role, ' in database ' || quote_ident(datname), name) as mend,
        -- Only whoever logs in gets their settings, and only in that database; and what a role may set for itself, SQL that got in must not keep Pie from
        -- starting by.
        case when role in ('webuser', 'webadmin') or datname <> current_database() then 'tells'
          when name in ('session_authorization', 'session_replication_role', 'session_preload_libraries') then 'opens' end as weight
      from settings
      where ${isOwnRole('role')}
        and not (role in ($1, $2) and datname is null
          and name in ('statement_timeout', 'idle_in_transaction_session_timeout') and value = '15s')`,
  },
  {
    name: 'role-missing-settings',
    weight: 'hinders',
    why: 'Without it, one request that hangs holds its connection for ever.',
    query: `select format('role %I', rolname) as object, format('has no %s', name) as what,
        format('alter role %I set %s = ''15s'';', rolname, name) as mend
      from pg_roles
      cross join (values ('statement_timeout'), ('idle_in_transaction_session_timeout')) as wanted (name)
      where rolname in ('cream', 'pie_auth') and rolname in ($1, $2)
        and not exists (
          select from pg_db_role_setting cross join lateral unnest(setconfig) as setting
          where setrole = pg_roles.oid and setdatabase = 0 and split_part(setting, '=', 1) = name
        )`,
  },
]
