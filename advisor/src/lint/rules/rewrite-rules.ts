import type { Privilege } from '../../catalog/acl.ts'
import type { Catalog, Relation, RewriteRule } from '../../catalog/catalog.ts'
import { nodesIn, numberOf, type TreeNode } from '../../catalog/parse-node-tree.ts'
import { commandOf, relationsNamedIn } from '../expressions/trees.ts'
import { askersOf, namesOfRoles } from '../rights/askers.ts'
import { isGranted, queriesOf, readPast } from '../rights/read-past.ts'
import type { Fault, Rule } from '../rule.ts'

/** create rule; a view's own, which makes it a view, is none. */
export const ruleActsAsOwner: Rule = {
  name: 'rule-acts-as-owner',
  weight: 'hole',
  why:
    'What a rule makes of a statement runs with the rights of its table’s owner: it writes where whoever sends the statement ' +
    'may not, and past their policies. A trigger runs as whoever writes.',
  find: (catalog) =>
    [...catalog.relations.values()]
      .filter(({ isAsked }) => isAsked)
      .flatMap((relation) =>
        relation.rules
          .filter(({ event }) => event !== 'select')
          .map((rule) => ({
            object: `rule ${rule.sql} on ${relation.sql}`,
            mend: mendOf(relation, rule),
            ...judge(catalog, relation, rule),
          })),
      ),
}

/** Without one that stands instead of the statement, the statement itself is run, which may be what it was to prevent. */
const mendOf = ({ sql }: Relation, rule: RewriteRule): string =>
  rule.isInstead
    ? `-- when a trigger does what it did, before each row: drop rule ${rule.sql} on ${sql};`
    : `-- what it did, a trigger does\ndrop rule ${rule.sql} on ${sql};`

function judge(
  catalog: Catalog,
  relation: Relation,
  rule: RewriteRule,
): Pick<Fault, 'weight' | 'detail'> {
  const askers = askersOf(catalog, relation, rule.event)
  if (askers.length === 0)
    return { weight: 'style', detail: `no role of requests may ${rule.event} there` }
  const who = `${namesOfRoles(catalog, askers)} may ${rule.event} there, and so`
  for (const query of queriesOf(rule)) {
    const target = targetOf(catalog, query)
    const command = commandOf(query)
    if (target !== undefined && isPast(catalog, askers, target, command as Privilege))
      return { detail: `${who} ${command} in ${target.sql} as its owner` }
    const past =
      command === 'select' ? readPast(catalog, askers, readBy(catalog, query, relation)) : null
    if (past !== null) return { weight: 'leak', detail: `${who} read ${past}` }
  }
  return { weight: 'style', detail: 'it does nothing that they may not do anyway' }
}

/** What a query writes to. */
function targetOf({ relations }: Catalog, query: TreeNode): Relation | undefined {
  const place = numberOf(query, 'resultRelation')
  const entry = place === 0 ? undefined : nodesIn(query, 'rtable')[place - 1]
  return entry === undefined ? undefined : relations.get(numberOf(entry, 'relid'))
}

function isPast(
  catalog: Catalog,
  askers: readonly number[],
  target: Relation,
  privilege: Privilege,
): boolean {
  return target.rowSecurity || askers.some((role) => !isGranted(catalog, role, target, privilege))
}

/** Without old and new, which are the rule's own table. */
function readBy({ relations }: Catalog, query: TreeNode, own: Relation): Relation[] {
  return [...relationsNamedIn(query)]
    .flatMap((oid) => relations.get(oid) ?? [])
    .filter((relation) => relation !== own)
}
