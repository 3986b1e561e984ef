import { parseNodeTree, type TreeNode } from '../catalog/parse-node-tree.ts'
import { relations } from './catalog-sources.ts'
import { withoutOuterParentheses } from './expression-text.ts'
import { isVolatileForNothing } from './function-text.ts'

/** A policy with what its expressions mention, by oid. */
export interface PolicyRow {
  object: string
  policy: string
  table: string
  relation: string
  using_tree: string | null
  check_tree: string | null
  using_text: string | null
  check_text: string | null
  functions: Record<string, PolicyFunction>
}

export interface PolicyFunction {
  /** As SQL names it in the policy's text: `app.is_mine`, `now`. */
  call: string
  /** With the types of the arguments. */
  name: string
  /** The type of its answer. */
  returns: string
  volatility: 'i' | 's' | 'v'
  /** That it says volatile without a need, and may be altered to stable. */
  only_reads: boolean
}

/** The oids after such a field in the trees of a policy. */
export const mentioned = (fields: string): string => `(
  select found[1]::oid
  from regexp_matches(concat(polqual::text, polwithcheck::text), ':(?:${fields}) (\\d+)', 'g') as found
)`

export const policies = `
  select format('policy %I on %s', polname, r.name) as object, quote_ident(polname) as policy, r.name as table,
    r.oid as relation, polqual::text as using_tree, polwithcheck::text as check_tree,
    pg_get_expr(polqual, polrelid) as using_text, pg_get_expr(polwithcheck, polrelid) as check_text,
    (
      select coalesce(jsonb_object_agg(f.oid, jsonb_build_object(
        'call', case when nspname = 'pg_catalog' then quote_ident(proname) else format('%I.%I', nspname, proname) end,
        'name', f.oid::regprocedure::text, 'returns', format_type(prorettype, null), 'volatility', provolatile, 'only_reads', ${isVolatileForNothing}
      )), '{}')
      from pg_proc as f join pg_namespace on pg_namespace.oid = pronamespace
      where f.oid in ${mentioned('funcid|opfuncid')}
    ) as functions,
    polroles, polpermissive, polqual, polwithcheck, relowner
  from ${relations} as r join pg_policy on polrelid = r.oid`

/** The trees of a policy, and the texts that they were written as. */
export function expressionsOf(
  row: PolicyRow,
): { tree: TreeNode; text: string; isUsing: boolean }[] {
  const expressions = [
    { tree: row.using_tree, text: row.using_text ?? '', isUsing: true },
    { tree: row.check_tree, text: row.check_text ?? '', isUsing: false },
  ]
  return expressions.flatMap(({ tree, ...rest }) =>
    tree === null ? [] : [{ tree: parseNodeTree(tree), ...rest }],
  )
}

/** `alter policy`, with each expression as `change` leaves it. */
export function alterPolicy(
  row: PolicyRow,
  change: (tree: TreeNode, text: string) => string,
): string {
  const clauses = expressionsOf(row).map(
    ({ tree, text, isUsing }) =>
      `\n  ${isUsing ? 'using' : 'with check'} (${withoutOuterParentheses(change(tree, text))})`,
  )
  return `alter policy ${row.policy} on ${row.table}${clauses.join('')};`
}
