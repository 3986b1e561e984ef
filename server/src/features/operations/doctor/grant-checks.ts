import type { Check } from './finding.ts'
import { actingAs, isOwnRole, isRequest, nameOf, requestRoles } from './request-roles.ts'

const revokeDefault = `format('alter default privileges for role %s%s revoke all on %s from %s;', defaclrole::regrole,
          ' in schema ' || quote_ident(nspname), kind || 's', ${nameOf('grantee')})`

/** What the database, its schemas and Postgres itself give to requests, beside what is Pie's own. */
export const grantChecks: Check[] = [
  {
    name: 'temporary-tables',
    weight: 'opens',
    why: 'A temporary table or type stands before the application’s own, and stays on the connection for whoever comes next. A restored dump has lost what migration 0002 took away.',
    query: `${requestRoles}
      select format('database %I', datname) as object, format('lets %s make temporary tables', ${nameOf('grantee')}) as what,
        format('revoke temporary on database %I from %s;', datname, ${nameOf('grantee')}) as mend,
        -- Then only somebody else can mend it.
        case when datdba <> (select oid from pg_roles where rolname = $3) then 'hinders' end as weight
      from pg_database
      cross join lateral aclexplode(coalesce(datacl, acldefault('d', datdba)))
      where datname = current_database() and privilege_type = 'TEMPORARY' and ${isRequest('grantee')}`,
  },
  {
    name: 'schemas-in-the-database',
    weight: 'opens',
    why: 'Whoever may make a schema puts functions in the way of others’ names.',
    query: `${requestRoles}
      select format('database %I', datname) as object, format('lets %s make schemas', ${nameOf('grantee')}) as what,
        format('revoke create on database %I from %s;', datname, ${nameOf('grantee')}) as mend
      from pg_database cross join lateral aclexplode(datacl)
      where datname = current_database() and privilege_type = 'CREATE' and ${isRequest('grantee')}`,
  },
  {
    name: 'objects-in-schemas',
    weight: 'hinders',
    why: 'Requests could put functions and tables in the way of others’ names (CVE-2018-1058). Since PostgreSQL 15 nobody may, in a new database; one that was upgraded keeps the old grant.',
    query: `${requestRoles}
      select format('schema %I', nspname) as object, format('lets %s make things in it', ${nameOf('grantee')}) as what,
        format('revoke create on schema %I from %s;', nspname, ${nameOf('grantee')}) as mend
      from pg_namespace cross join lateral aclexplode(nspacl)
      where privilege_type = 'CREATE' and ${isRequest('grantee')}
        and nspname not in ('pie_schema', 'pie_private', 'pie_hooks')`,
    isSafe: false,
  },
  {
    name: 'catalog-grants',
    weight: 'opens',
    why: 'Postgres gives it to nobody: it reads passwords or files, or works as the server.',
    query: `${requestRoles}
      select format('%s %s', kind, object) as object, format('is granted to %s: %s', ${nameOf('grantee')}, lower(privilege_type)) as what,
        format('revoke %s on %s %s from %s;', privilege_type, kind, object, ${nameOf('grantee')}) as mend
      from (
        select 'function' as kind, pg_proc.oid::regprocedure::text as object, 'pg_proc'::regclass::oid as classoid, pg_proc.oid as objoid, proacl as acl
        from pg_proc where pronamespace = 'pg_catalog'::regnamespace and proacl is not null
        union all
        select 'table', pg_class.oid::regclass::text, 'pg_class'::regclass, pg_class.oid, relacl
        from pg_class where relnamespace = 'pg_catalog'::regnamespace and relacl is not null
        union all
        select 'table', attrelid::regclass::text || format(' (%I)', attname), 'pg_attribute'::regclass, attrelid, attacl
        from pg_attribute join pg_class on pg_class.oid = attrelid
        where relnamespace = 'pg_catalog'::regnamespace and attacl is not null
          -- Postgres has given some columns of these itself.
          and attrelid::regclass::text not in ('pg_subscription')
      ) as things
      cross join lateral aclexplode(acl) as given
      where ${isRequest('grantee')}
        and not exists (
          select from pg_init_privs cross join lateral aclexplode(initprivs) as initial
          where pg_init_privs.classoid = things.classoid and pg_init_privs.objoid = things.objoid and objsubid = 0
            and initial.grantee = given.grantee and initial.privilege_type = given.privilege_type
        )
        and not exists (
          select from pg_depend where pg_depend.classid = things.classoid and pg_depend.objid = things.objoid and deptype = 'e'
        )
        -- What everybody had at first, written out.
        and not (kind = 'function' and grantee = 0 and not exists (
          select from pg_init_privs where pg_init_privs.classoid = things.classoid and pg_init_privs.objoid = things.objoid
        ))`,
  },
  {
    name: 'parameter-grants',
    weight: 'opens',
    why: 'With session_replication_role and others, triggers stay silent and checks are off.',
    query: `${requestRoles}
      select format('parameter %s', parname) as object, format('may be set by %s', ${nameOf('grantee')}) as what,
        format('revoke %s on parameter %s from %s;', privilege_type, parname, ${nameOf('grantee')}) as mend
      from pg_parameter_acl cross join lateral aclexplode(paracl)
      where ${isRequest('grantee')}`,
  },
  {
    name: 'default-privileges',
    weight: 'hinders',
    why: 'What is made later is open at once, before it has a policy.',
    query: `${requestRoles}
      select format('role %s', defaclrole::regrole) as object,
        format('gives %s to %s on every new %s%s', lower(string_agg(distinct privilege_type, ', ')), ${nameOf('grantee')}, kind, ' in ' || quote_ident(nspname)) as what,
        case when ${isOwnRole('defaclrole::regrole::text')} then ${actingAs('defaclrole::regrole::name', revokeDefault)} else ${revokeDefault} end as mend
      from pg_default_acl
      left join pg_namespace on pg_namespace.oid = defaclnamespace
      cross join lateral (
        values (case defaclobjtype when 'r' then 'table' when 'S' then 'sequence' when 'f' then 'function' when 'T' then 'type'
          when 'n' then 'schema' else 'large object' end)
      ) as kinds (kind)
      cross join lateral aclexplode(defaclacl)
      where ${isRequest('grantee')} and not (grantee = 0 and defaclobjtype in ('f', 'T'))
        -- What it makes is its own.
        and grantee <> defaclrole
      group by defaclrole, nspname, kind, grantee`,
    isSafe: false,
  },
  {
    name: 'extension-functions',
    weight: 'hinders',
    why: 'Its functions reach other servers, or this one as somebody else: SQL that gets in through a hole would too.',
    query: `${requestRoles}
      select format('extension %I', extname) as object, format('has %s functions that requests may execute', count(*)) as what,
        string_agg(format('revoke execute on function %s from public;', pg_proc.oid::regprocedure), e'\\n' order by pg_proc.oid) as mend,
        case when extname <> 'dblink' then 'tells' end as weight
      from pg_extension
      join pg_depend on refclassid = 'pg_extension'::regclass and refobjid = pg_extension.oid and deptype = 'e' and classid = 'pg_proc'::regclass
      join pg_proc on pg_proc.oid = objid
      where extname in ('dblink', 'http', 'pg_net', 'adminpack')
        and exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) where privilege_type = 'EXECUTE' and ${isRequest('grantee')})
      group by extname`,
    isSafe: false,
  },
]
