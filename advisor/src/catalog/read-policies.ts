import type { Policy, Relation, RewriteRule } from './catalog.ts'
import { expressionOf, isOfPostgres, type Reading } from './reading.ts'

/** So many at once: their trees are long texts. */
const AT_ONCE = 1_000

interface PolicyRow extends Omit<Policy, 'relation' | 'using' | 'check' | 'object'> {
  relation: number
  using_text: string | null
  using_tree: string | null
  check_text: string | null
  check_tree: string | null
}

/** Adds to tables their policies. */
export async function addPolicies(
  { ask }: Reading,
  relations: ReadonlyMap<number, Relation>,
): Promise<void> {
  for (let after = 0; ; ) {
    const rows = await ask<PolicyRow>(
      `select p.oid, polrelid as relation, polname as name, quote_ident(polname) as sql, polpermissive as "isPermissive",
         case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end as command,
         polroles as roles, pg_get_expr(polqual, polrelid) as using_text, polqual::text as using_tree,
         pg_get_expr(polwithcheck, polrelid) as check_text, polwithcheck::text as check_tree, description as comment
       from pg_policy as p
       left join pg_description on classoid = 'pg_policy'::regclass and objoid = p.oid
       where p.oid > $1 order by p.oid limit ${AT_ONCE}`,
      after,
    )
    for (const { using_text, using_tree, check_text, check_tree, ...row } of rows) {
      const relation = relations.get(row.relation)
      relation?.policies.push({
        ...row,
        relation,
        object: `policy ${row.sql} on ${relation.sql}`,
        using: expressionOf(using_text, using_tree),
        check: expressionOf(check_text, check_tree),
      })
    }
    if (rows.length < AT_ONCE) break
    after = rows.at(-1)?.oid ?? 0
  }
  const byName = (one: Policy, other: Policy) => (one.name < other.name ? -1 : 1)
  for (const { policies } of relations.values()) policies.sort(byName)
}

/** Adds to views and tables their rewrite rules, but for those of Postgres' own. */
export async function addRules(
  { ask }: Reading,
  relations: ReadonlyMap<number, Relation>,
): Promise<void> {
  type Row = Omit<RewriteRule, 'action'> & { relation: number; text: string | null; tree: string }
  const rows = await ask<Row>(`
    select ev_class as relation, r.oid, rulename as name, quote_ident(rulename) as sql, is_instead as "isInstead",
      case ev_type when '1' then 'select' when '2' then 'update' when '3' then 'insert' else 'delete' end as event,
      case when ev_type <> '1' then pg_get_ruledef(r.oid) end as text, ev_action::text as tree
    from pg_rewrite as r join pg_class as c on c.oid = ev_class
    join pg_namespace as n on n.oid = relnamespace and not ${isOfPostgres('nspname')}
    order by ev_class, rulename collate "C"`)
  for (const { relation, text, tree, ...rule } of rows) {
    // A list of queries, in one node.
    const action = expressionOf(text, tree.startsWith('(') ? `{ACTION :queries ${tree}}` : tree)
    if (action !== null) relations.get(relation)?.rules.push({ ...rule, action })
  }
}
