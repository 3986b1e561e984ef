import { grants, relations, rolesOfRequests, routines, schemas } from '../catalog-sources.ts'
import type { QueriedRule as Rule } from '../queried-rule.ts'

/** The owner of the schema where that is no role of requests, else whoever runs the lint. */
const properOwner = (schema: string) => `quote_ident(coalesce((
  select pg_get_userbyid(nspowner) from pg_namespace
  where oid = ${schema} and nspowner not in ${rolesOfRequests}
), current_user))`

const owned = (kind: string, name: string, owner: string, schema: string, source: string) => `
  select ${kind} || ' ' || ${name} as object,
    format('alter %s %s owner to %s;', ${kind}, ${name}, ${properOwner(schema)}) as mend
  from ${source}
  where ${owner} in ${rolesOfRequests}`

export const ownedByRoleOfRequests: Rule = {
  name: 'owned-by-role-of-requests',
  why:
    'An owner may change what is theirs, switch its row-level security off and grant it: SQL injected ' +
    'into a request could do that.',
  query: [
    owned(`'schema'`, 's.name', 's.nspowner', 's.oid', `${schemas} as s`),
    owned(
      'r.kind',
      'r.name',
      'r.relowner',
      'r.relnamespace',
      `(select * from ${relations} as every where relkind <> 'S') as r`,
    ),
    owned('f.kind', 'f.name', 'f.proowner', 'f.pronamespace', `${routines} as f`),
  ].join(' union all '),
}

export const schemaOpenToRoleOfRequests: Rule = {
  name: 'schema-open-to-role-of-requests',
  why:
    'Whoever may make things in a schema can put a function or a table where others look for theirs, ' +
    'and so run code with their rights (CVE-2018-1058).',
  query: `
    select format('grant to %s on schema %s', grantee_name, s.name) as object,
      format('revoke create on schema %s from %s;', s.name, grantee_name) as mend
    from (
      select s.name, nspowner, grantee, coalesce(quote_ident(rolname), 'public') as grantee_name
      from ${schemas} as s cross join lateral aclexplode(nspacl) left join pg_roles on pg_roles.oid = grantee
      where privilege_type = 'CREATE'
    ) as s
    where grantee <> nspowner and (grantee = 0 or grantee in ${rolesOfRequests})`,
}

export const triggerGranted: Rule = {
  name: 'trigger-granted',
  why:
    'Whoever may put a trigger on a table runs code of their own with the rights of everybody who ' +
    'writes to it.',
  query: `
    select format('grant to %s on %s %s', grantee_name, kind, name) as object,
      format('revoke trigger on %s from %s;', name, grantee_name) as mend
    from ${grants} as g
    where privilege = 'trigger' and grantee in ${rolesOfRequests}`,
}
