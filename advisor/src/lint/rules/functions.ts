import { hookSchemas, routines } from '../catalog-sources.ts'
import type { QueriedRule as Rule } from '../queried-rule.ts'

/** Grants call an aggregate a function too. */
const callable = `concat(case kind when 'procedure' then kind else 'function' end, ' ', f.oid::regprocedure)`

const mayExecute = `cross join lateral aclexplode(coalesce(proacl, acldefault('f', proowner)))`

export const executableByPublic: Rule = {
  name: 'executable-by-public',
  why:
    'Postgres lets everybody execute a new function unless that is revoked: each one is a door, also ' +
    'to whoever gets as far as a role that was granted nothing.',
  query: `
    select kind || ' ' || name as object,
      format(e'revoke execute on %s from public;\\n-- and for those who call it: grant execute on %1$s to …;', ${callable}) as mend
    from ${routines} as f ${mayExecute}
    where grantee = 0`,
}

export const hookExecutableByOthers: Rule = {
  name: 'hook-executable-by-others',
  why:
    'It is called when something has happened, by its owner’s code; whoever else may call it can say that ' +
    'something has happened which has not.',
  query: `
    select format('grant to %I on %s %s', rolname, kind, name) as object,
      format('revoke execute on %s from %I;', ${callable}, rolname) as mend
    from ${routines} as f ${mayExecute} join pg_roles on pg_roles.oid = grantee
    where pronamespace in ${hookSchemas} and grantee <> proowner`,
}

const paths = `
  select f.kind, f.name, substr(setting, length('search_path=') + 1) as path
  from ${routines} as f
  left join unnest(proconfig) as setting on setting like 'search_path=%'
  where prosecdef`

export const securityDefinerWithoutSearchPath: Rule = {
  name: 'security-definer-without-search-path',
  why:
    'It acts with the rights of its owner and looks names up where its caller says: a table or an ' +
    'operator of the caller stands in for the one that was meant (CVE-2018-1058).',
  query: `
    select kind || ' ' || name as object,
      format(e'-- then every name in its body needs its schema\\nalter %s %s set search_path = pg_catalog, pg_temp;', kind, name) as mend
    from (${paths}) as f
    where path is null`,
}

/** A path that is empty is one on which pg_temp comes first. */
export const searchPathWithoutPgTempLast: Rule = {
  name: 'search-path-without-pg-temp-last',
  why:
    'Where pg_temp is not named last, temporary objects of the caller are found first, also before ' +
    'pg_catalog: a temporary type named like one of Postgres runs its maker’s code as the owner.',
  query: `
    select kind || ' ' || name as object,
      format('alter %s %s set search_path = %s;', kind, name, concat_ws(', ', coalesce(nullif(
        regexp_replace(regexp_replace(path, '(^|, *)"?pg_temp"?(?=,|$)', '', 'g'), '^, *|^""$', ''), ''), 'pg_catalog'), 'pg_temp')) as mend
    from (${paths}) as f
    where path !~ '(^|, *)"?pg_temp"?$'`,
}
