import type { Routine, Schema } from './catalog.ts'
import { expressionOf, extensionOf, isOfPostgres, isPassing, type Reading } from './reading.ts'

interface FunctionRow extends Omit<Routine, 'schema' | 'acl' | 'sqlBody' | 'isAsked'> {
  schema: number
  acl: string[]
  body_text: string | null
  body_tree: string | null
}

/** Every function. Of Postgres' own without their arguments' names and bodies. */
export async function readFunctions(
  { ask, readAcl }: Reading,
  schemas: ReadonlyMap<number, Schema>,
): Promise<Map<number, Routine>> {
  const rows = await ask<FunctionRow>(`
    select f.oid, pronamespace as schema, proname as name,
      case when is_own then quote_ident(proname) when prokind = 'a' and pronargs = 0 then format('%I.%I(*)', nspname, proname)
        else f.oid::regprocedure::text end as sql,
      case prokind when 'p' then 'procedure' when 'a' then 'aggregate' when 'w' then 'window function' else 'function' end as kind,
      proowner as owner, coalesce(proacl, acldefault('f', proowner))::text[] as acl, lanname as language,
      provolatile as volatility, proisstrict as "isStrict", proleakproof as "isLeakproof", prosecdef as "isSecurityDefiner",
      proretset as "returnsSet", prorettype as returns, coalesce(proconfig, '{}') as settings,
      proargtypes::oid[] as "argumentTypes", case when is_own then '{}' else coalesce(proargnames, '{}') end as "argumentNames",
      case when not is_own and lanname not in ('internal', 'c') and prosqlbody is null then prosrc end as source,
      case when not is_own and prosqlbody is not null then pg_get_function_sqlbody(f.oid) end as body_text,
      case when not is_own then prosqlbody::text end as body_tree,
      case when not is_own and prokind in ('f', 'p') and lanname in ('sql', 'plpgsql') then pg_get_functiondef(f.oid) end as definition,
      case when not is_own and proargmodes is not null then array(
        select proallargtypes[place] from generate_subscripts(proargmodes, 1) as place where proargmodes[place] in ('o', 'b', 't')
      ) end as "answerTypes", description as comment,
      case when not is_own then ${extensionOf('pg_proc', 'f.oid')} end as extension
    from pg_proc as f join pg_namespace as n on n.oid = pronamespace join pg_language on pg_language.oid = prolang
    cross join lateral (select ${isOfPostgres('nspname')} as is_own) as whose
    left join pg_description on not is_own and classoid = 'pg_proc'::regclass and objoid = f.oid
    where not ${isPassing('nspname')}
    order by nspname collate "C", proname collate "C", f.oid`)
  const functions = new Map<number, Routine>()
  for (const { schema: oid, acl, body_text, body_tree, ...row } of rows) {
    const schema = schemas.get(oid)
    if (schema === undefined) continue
    const tree = body_tree?.startsWith('(') ? `{BODY :queries ${body_tree}}` : body_tree
    functions.set(row.oid, {
      ...row,
      schema,
      acl: readAcl(acl),
      sqlBody: expressionOf(body_text, tree),
      isAsked: schema.isAsked && row.extension === null,
    })
  }
  return functions
}
