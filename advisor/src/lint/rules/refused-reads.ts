import type { Catalog, Policy, Relation } from '../../catalog/catalog.ts'
import { inComment } from '../mends/in-comment.ts'
import { type Reads, readsIn } from '../reads/expression-reads.ts'
import { askedRelations, grantInWords, grantsOn, roleIn } from '../rights/relation-grants.ts'
import { columnsFor, heirsOf, mayOn, mayOnSome, servedBy } from '../rights/role-rights.ts'
import type { Fault, Rule } from '../rule.ts'

/** Rights are asked for whatever a condition comes to, before the first row is read. */
export const policyReadsUngranted: Rule = {
  name: 'policy-reads-ungranted',
  weight: 'failure',
  why:
    'A policy asks as whoever sent the statement: where that one may not read the table in its sub-select, or not ' +
    'execute its function, every statement that the policy holds for is refused.',
  find: (catalog) =>
    askedRelations(catalog)
      .filter(({ rowSecurity }) => rowSecurity)
      .flatMap(({ policies }) => policies.flatMap((policy) => refusedIn(catalog, policy))),
}

function refusedIn(catalog: Catalog, policy: Policy): Fault[] {
  const reads = [policy.using, policy.check].flatMap((expression) =>
    expression === null ? [] : [readsIn(expression.tree)],
  )
  if (reads.every(({ relations, functions }) => relations.size + functions.size === 0)) return []
  const [role] = concerned(catalog, policy).filter((one) =>
    reads.some((read) => refusalOf(catalog, one, read) !== null),
  )
  if (role === undefined) return []
  const refusals = reads.flatMap((read) => refusalOf(catalog, role, read) ?? [])
  return [
    {
      object: policy.object,
      detail: `${roleIn(catalog, role)} may not ${[...new Set(refusals.map(({ what }) => what))].join(', nor ')}`,
      mend: mendOf(catalog, policy, role),
    },
  ]
}

/** Whom a policy is for and who may use the table: those who would notice. */
function concerned(catalog: Catalog, { relation, roles, command }: Policy): number[] {
  const commands =
    command === 'all' ? (['select', 'insert', 'update', 'delete'] as const) : [command]
  const named = roles.includes(0)
    ? grantsOn(relation).map(({ grantee }) => grantee)
    : roles.flatMap((role) => servedBy(catalog, role, relation))
  return [...new Set(named)].filter(
    (role) => role !== 0 && commands.some((one) => mayOnSome(catalog, role, relation, one)),
  )
}

/** The first thing that a role is refused. */
export function refusalOf(
  catalog: Catalog,
  role: number,
  { relations, functions }: Reads,
): { what: string } | null {
  for (const [oid, columns] of relations) {
    const relation = catalog.relations.get(oid)
    if (relation === undefined || relation.schema.isOfPostgres) continue
    if (!mayRead(catalog, role, relation, columns)) return { what: `read ${relation.sql}` }
  }
  for (const oid of functions) {
    const routine = catalog.functions.get(oid)
    if (routine !== undefined && !mayOn(catalog, role, routine, 'execute'))
      return { what: `execute ${routine.sql}` }
  }
  return null
}

/** One column is enough where only the number of rows counts; a whole row needs all of them. */
function mayRead(
  catalog: Catalog,
  role: number,
  relation: Relation,
  columns: ReadonlySet<number>,
): boolean {
  if (mayOn(catalog, role, relation, 'select')) return true
  const readable = new Set(columnsFor(catalog, role, relation, 'select'))
  if (columns.has(0) && readable.size < relation.columns.length) return false
  if (columns.size === 0) return readable.size > 0
  return [...columns].every((column) => column <= 0 || readable.has(column))
}

/** To take a role off the policy shows it nothing that it saw; where it is the only one, nobody saw anything. */
function mendOf(catalog: Catalog, policy: Policy, role: number): string {
  const { relation, sql, roles, using, check, command } = policy
  const advice = `-- or grant ${roleIn(catalog, role)} what it asks for, or ask it in a security definer function\n`
  const left = roles.filter((one) => one !== 0 && !heirsOf(catalog, one).includes(role))
  if (policy.isPermissive && left.length > 0)
    return `${advice}alter policy ${sql} on ${relation.sql} to ${left.map((one) => roleIn(catalog, one)).join(', ')};`
  const clauses = [
    ...(command === 'insert' || using === null ? [] : ['using (false)']),
    ...(check === null ? [] : ['with check (false)']),
  ]
  const was = [using, check]
    .flatMap((one) => (one === null ? [] : [`-- ${inComment(one.text)}\n`]))
    .join('')
  return `${advice}-- it was:\n${was}alter policy ${sql} on ${relation.sql} ${clauses.join(' ')};`
}

export const viewReadsUngranted: Rule = {
  name: 'view-reads-ungranted',
  weight: 'failure',
  why:
    'A view reads with the rights of its owner, or, where it is security_invoker, of whoever asks: that one may not ' +
    'read what is below it, and every question to it is refused.',
  find: (catalog) =>
    askedRelations(catalog)
      .filter(({ kind }) => kind === 'v')
      .flatMap((view) => {
        const readers = new Set(
          grantsOn(view)
            .filter(({ privilege, grantee }) => privilege === 'select' && grantee !== 0)
            .map(({ grantee }) => grantee),
        )
        return [...readers].flatMap((grantee): Fault[] => {
          const refusals = servedBy(catalog, grantee, view).map((role) =>
            viewRefusal(catalog, view, role),
          )
          const [refusal] = refusals
          if (refusal == null || refusals.some((one) => one === null)) return []
          const role = roleIn(catalog, grantee)
          return [
            {
              object: grantInWords(catalog, view, grantee),
              detail: refusal,
              mend: `-- or grant what is below it\nrevoke select on ${view.sql} from ${role};`,
            },
          ]
        })
      }),
}

function viewRefusal(catalog: Catalog, view: Relation, role: number): string | null {
  const rule = view.rules.find(({ event }) => event === 'select')
  if (rule === undefined) return null
  const reader = view.options.securityInvoker ? role : view.owner
  const { relations, functions } = readsIn(rule.action.tree)
  const below = new Map([...relations].filter(([oid]) => oid !== view.oid))
  const read = refusalOf(catalog, reader, {
    relations: below,
    functions: new Set(),
    hasQuery: true,
  })
  if (read !== null) return `${roleIn(catalog, reader)} may not ${read.what}`
  const called = refusalOf(catalog, role, { relations: new Map(), functions, hasQuery: true })
  return called === null ? null : `${roleIn(catalog, role)} may not ${called.what}`
}
