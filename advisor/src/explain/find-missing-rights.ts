import type pg from 'pg'
import type { Culprit } from './explanation.ts'

/** What the role would have to be granted for these policies to be asked, as statements; null where nothing is seen. */
export async function findMissingRights(
  client: pg.ClientBase,
  policies: readonly Culprit[],
  role: string,
): Promise<string | null> {
  const { rows } = await client.query<{ mend: string }>(
    `with policy as (
       select concat(polqual::text, polwithcheck::text) as tree
       from pg_policy join pg_class on pg_class.oid = polrelid join pg_namespace on pg_namespace.oid = relnamespace
       where (format('%I.%I', nspname, relname), polname::text) in (select * from unnest($1::text[], $2::text[]))
     )
     select distinct format('grant execute on function %s to %I', pg_proc.oid::regprocedure, $3::text) as mend
     from policy cross join lateral regexp_matches(tree, ':(?:funcid|opfuncid) (\\d+)', 'g') as found
     join pg_proc on pg_proc.oid = found[1]::oid
     where not has_function_privilege($3::name, pg_proc.oid, 'execute')
     union
     select distinct format('grant select on %s to %I', pg_class.oid::regclass, $3::text)
     from policy cross join lateral regexp_matches(tree, ':relid (\\d+)', 'g') as found
     join pg_class on pg_class.oid = found[1]::oid
     where not has_any_column_privilege($3::name, pg_class.oid, 'select')
     order by mend`,
    [policies.map(({ table }) => table), policies.map(({ policy }) => policy), role],
  )
  return rows.length === 0 ? null : rows.map(({ mend }) => mend).join('; ')
}
