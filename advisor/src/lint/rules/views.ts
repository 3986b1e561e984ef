import { grants, relations } from '../catalog-sources.ts'
import type { QueriedRule as Rule } from '../queried-rule.ts'

/** Postgres takes true, on, yes and 1. */
export const viewNotSecurityInvoker: Rule = {
  name: 'view-not-security-invoker',
  why:
    'A view reads with the rights of its owner unless it is security_invoker: policies are those of ' +
    'the owner, and whoever may read the view reads past their own.',
  query: `
    select 'view ' || name as object, format('alter view %s set (security_invoker = true);', name) as mend
    from ${relations} as r
    where relkind = 'v' and not exists (
      select from pg_options_to_table(reloptions)
      where option_name = 'security_invoker' and option_value::boolean
    )`,
}

const everyGrantOf = (relkind: string) => `
  select distinct format('grant to %s on %s %s', grantee_name, g.kind, g.name) as object,
    format('revoke all on %s from %s;', g.name, grantee_name) as mend
  from ${grants} as g join ${relations} as r on r.oid = g.oid
  where relkind = '${relkind}' and grantee <> 0`

export const materializedViewGranted: Rule = {
  name: 'materialized-view-granted',
  why:
    'A materialized view holds what its owner saw, and can have no policies: whoever may read it ' +
    'reads every row of it.',
  query: everyGrantOf('m'),
}

export const foreignTableGranted: Rule = {
  name: 'foreign-table-granted',
  why:
    'A foreign table can have no policies: whoever is granted it has every row, with the rights of ' +
    'its user mapping on the other server.',
  query: everyGrantOf('f'),
}
