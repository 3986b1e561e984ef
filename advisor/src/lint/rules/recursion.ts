import type { Catalog, Policy, Relation } from '../../catalog/catalog.ts'
import { inComment } from '../mends/in-comment.ts'
import { readsIn } from '../reads/expression-reads.ts'
import { findRecursion, type Recursion } from '../reads/find-recursion.ts'
import { tablesCalledAs, tablesReadAs } from '../reads/reading-as.ts'
import { onCycles } from '../reads/strongly-connected.ts'
import { roleIn } from '../rights/relation-grants.ts'
import type { Fault, Rule } from '../rule.ts'

const commands = ['select', 'insert', 'update', 'delete'] as const

/** Postgres refuses with 42P17, or, where a function is in between, when the stack is full. */
export const policyRecursion: Rule = {
  name: 'policy-recursion',
  weight: 'failure',
  why:
    'To know which rows its sub-select may read, Postgres asks the policies of that table, and comes back to ' +
    'where it was: every statement of those whom it is for fails.',
  find: (catalog) => {
    const blamed = new Map<Policy, Fault>()
    for (const { policy, path, start } of recursionsIn(catalog)) {
      const { command, relation, role } = start
      const way = path.map(({ sql }) => sql).join(' → ')
      const detail = `${command} on ${relation.sql} as ${roleIn(catalog, role)} goes ${way}`
      blamed.set(policy, { object: policy.object, detail, mend: emptied(policy) })
    }
    return [...blamed.values()]
  },
}

interface BlamedRecursion extends Recursion {
  start: { relation: Relation; role: number; command: (typeof commands)[number] }
}

/** Two rules ask. */
const known = new WeakMap<Catalog, BlamedRecursion[]>()

/** One for each policy without which there would be none. */
export function recursionsIn(catalog: Catalog): BlamedRecursion[] {
  const found = known.get(catalog) ?? findRecursions(catalog)
  known.set(catalog, found)
  return found
}

function findRecursions(catalog: Catalog): BlamedRecursion[] {
  const round = tablesOnCycles(catalog)
  const roles = rolesConcerned(catalog, round)
  const blamed = new Map<Policy, BlamedRecursion>()
  for (const relation of round)
    for (const role of roles)
      for (const command of commands) {
        const start = { relation, role, command }
        for (;;) {
          const found = findRecursion(catalog, start, new Set(blamed.keys()))
          if (found === null || blamed.has(found.policy)) break
          blamed.set(found.policy, { ...found, start })
        }
      }
  return [...blamed.values()]
}

/** Without regard to roles: those that may come back to themselves. */
function tablesOnCycles(catalog: Catalog): Relation[] {
  const named = (relation: Relation): Set<Relation> => {
    const reads = relation.policies.flatMap(({ using, check }) =>
      [using, check].flatMap((expression) =>
        expression === null ? [] : [readsIn(expression.tree)],
      ),
    )
    const read = reads.flatMap(({ relations, functions }) => [
      ...[...relations.keys()].flatMap((oid) =>
        tablesReadAs(catalog, catalog.relations.get(oid), relation.owner, false),
      ),
      ...[...functions].flatMap((oid) => tablesCalledAs(catalog, oid, relation.owner)),
    ])
    return new Set(read.map((one) => one.relation))
  }
  const tables = [...catalog.relations.values()].filter(({ rowSecurity }) => rowSecurity)
  const round = onCycles(tables, named)
  return tables.filter((relation) => relation.arePoliciesAsked && round.has(relation))
}

/** Whoever their policies name, or comes with a request. */
const rolesConcerned = ({ requestRoles }: Catalog, tables: readonly Relation[]): Set<number> =>
  new Set([
    ...tables.flatMap(({ policies }) => policies.flatMap(({ roles }) => roles)),
    ...(tables.length === 0 ? [] : requestRoles),
  ])

/** It shows less than was meant, and all of it works. */
function emptied({ sql, relation, command, using, check }: Policy): string {
  const clauses = [
    ...(command === 'insert' ? [] : ['using (false)']),
    ...(check === null ? [] : ['with check (false)']),
  ]
  return (
    '-- and write it anew with its question in a security definer function, whose owner is past these policies; it was:\n' +
    [using, check]
      .flatMap((expression) => (expression === null ? [] : [`-- ${inComment(expression.text)}\n`]))
      .join('') +
    `alter policy ${sql} on ${relation.sql} ${clauses.join(' ')};`
  )
}
