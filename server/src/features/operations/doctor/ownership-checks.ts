import type { Check } from './finding.ts'
import { actingAs, isOwnRole, requestRoles } from './request-roles.ts'

/** Whoever owns something grants it as they please, and row-level security is theirs to switch off. */
export const ownershipChecks: Check[] = [
  {
    name: 'owned-by-requests',
    weight: 'opens',
    why: 'Whoever owns a thing may change it and grant it, and so act past row-level security. Let another role migrate and own them.',
    query: `${requestRoles}
      select format('role %I', request_roles.name) as object,
        format('owns things in this database: %s', pg_describe_object(classid, objid, objsubid)) as what,
        format('alter %s %s owner to %I;', identity.type, identity.identity, $3::text) as mend
      from request_roles
      join pg_shdepend on refclassid = 'pg_authid'::regclass and refobjid = request_roles.oid and deptype = 'o'
      cross join lateral pg_identify_object(classid, objid, objsubid) as identity
      where ${isOwnRole('request_roles.name')}
        and (select oid from pg_database where datname = current_database())
          in (dbid, case when classid = 'pg_database'::regclass then objid end)
        -- What any role may make for itself, and is named elsewhere: SQL that got in must not keep Pie from starting by it.
        and classid not in ('pg_largeobject'::regclass, 'pg_default_acl'::regclass, 'pg_user_mapping'::regclass)`,
  },
  {
    name: 'large-objects-of-requests',
    weight: 'hinders',
    why: 'Any role may make large objects: an application that keeps files so, or SQL that got in through a hole. pg_dump cannot read them as an owner who is no superuser, and so pie backup fails.',
    query: `${requestRoles}
      select format('role %I', request_roles.name) as object, format('owns the large object %s', objid) as what,
        ${actingAs('request_roles.name', "format('select lo_unlink(%s);', objid)")} as mend
      from request_roles
      join pg_shdepend on refclassid = 'pg_authid'::regclass and refobjid = request_roles.oid and deptype = 'o'
      where classid = 'pg_largeobject'::regclass
        and dbid = (select oid from pg_database where datname = current_database())
      order by objid limit 20`,
    isSafe: false,
  },
  {
    name: 'prepared-by-requests',
    weight: 'hinders',
    why: 'It keeps what it has locked until somebody ends it, past a restart too. Pie prepares none: where nobody else does, set max_prepared_transactions to 0, as it is from the first.',
    query: `${requestRoles}
      select format('role %I', request_roles.name) as object, format('has left the prepared transaction %L', gid) as what,
        ${actingAs('request_roles.name', "format('rollback prepared %L;', gid)")} as mend
      from request_roles
      join pg_prepared_xacts on pg_prepared_xacts.owner = request_roles.name
      where pg_prepared_xacts.database = current_database()
      order by prepared limit 20`,
    isSafe: false,
  },
  {
    name: 'not-the-owners',
    weight: 'opens',
    why: 'Pie’s functions work with the rights of whoever owns them, and its policies are made for one owner.',
    query: `
      select format('%s %s', kind, object) as object, format('is owned by %s, and not by %s, who migrates', owner::regrole, $3::text) as what,
        format('alter %s %s owner to %I;', kind, object, $3::text) as mend
      from (
        select 'schema' as kind, quote_ident(nspname) as object, nspowner as owner from pg_namespace
        where nspname in ('pie_schema', 'pie_private', 'pie_hooks')
        union all
        select case relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end, format('%I.%I', nspname, relname), relowner
        from pg_class join pg_namespace on pg_namespace.oid = relnamespace
        where nspname in ('pie_schema', 'pie_private') and relkind in ('r', 'p', 'v', 'S')
        union all
        select 'function', pg_proc.oid::regprocedure::text, proowner
        from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
        where nspname in ('pie_schema', 'pie_private')
      ) as things
      where owner <> (select oid from pg_roles where rolname = $3) and owner not in (
        select oid from pg_roles where ${isOwnRole('rolname')}
      )`,
    isSafe: false,
  },
]
