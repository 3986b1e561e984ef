import type { Catalog, Expression, Policy, Relation, Routine } from '../../catalog/catalog.ts'
import { policiesOf } from '../asking/policies-of.ts'
import { nameRoles } from '../asking/reach.ts'
import { calledFunctions, findCalls } from '../expressions/find-calls.ts'
import { closingParenthesis, findCallsInText } from '../mends/expression-text.ts'
import { alterPolicy, closePolicy, expressionsOf } from '../mends/policy-expressions.ts'
import type { Fault, Rule } from '../rule.ts'
import { isVolatileForNothing } from './function-bodies.ts'

/** A restrictive policy is right to hold for everybody. */
export const policyToPublic: Rule = {
  name: 'policy-to-public',
  weight: 'style',
  why:
    'Without to, a policy is for every role there is and will be: a grant to a new role shows it the ' +
    'rows that were meant for another.',
  find: (catalog) =>
    policiesOf(catalog)
      .filter(({ roles, isPermissive }) => isPermissive && roles.includes(0))
      .map(({ object, sql, relation }) => ({
        object,
        mend: `alter policy ${sql} on ${relation.sql} to ${nameRoles(catalog, granteesOf(relation))};`,
      })),
}

/** Whoever is granted something of a table, but for PUBLIC; its owner where nobody is. */
function granteesOf({ acl, columns, owner }: Relation): Set<number> {
  const items = [...acl, ...columns.flatMap((column) => column.acl)]
  const grantees = new Set(
    items.map(({ grantee }) => grantee).filter((grantee) => grantee !== 0 && grantee !== owner),
  )
  return grantees.size === 0 ? new Set([owner]) : grantees
}

export const policyCallsFunctionPerRow: Rule = {
  name: 'policy-calls-function-per-row',
  weight: 'slow',
  why:
    'The function knows nothing of the row and yet runs for each: written (select f()), it runs once ' +
    'per statement, and its answer can be looked up in an index.',
  find: (catalog) =>
    policiesOf(catalog).flatMap((policy) => {
      const called = expressionsOf(policy).flatMap(({ expression }) =>
        callsOf(catalog, expression).filter(({ runsPerRow }) => runsPerRow),
      )
      if (called.length === 0) return []
      const names = new Set(
        called.map(({ functionOid }) => callName(catalog.functions.get(Number(functionOid)))),
      )
      const wrap = (expression: Expression) => wrapCalls(catalog, expression)
      return [
        {
          object: policy.object,
          detail: `it calls ${[...names].join(', ')}`,
          mend: alterPolicy(policy, wrap),
        },
      ]
    }),
}

/** Of Postgres' own, those that look something up; now() and its like cost no more than a constant. */
const dear = /^(current_setting|pg_has_role|has_\w+_privilege)$/

const callsOf = ({ functions }: Catalog, { tree }: Expression) =>
  findCalls(tree, (oid) => {
    const routine = functions.get(Number(oid))
    return (
      routine?.volatility === 'i' ||
      (routine?.schema.isOfPostgres === true && !dear.test(routine.name))
    )
  })

/** As SQL names it in the policy's text: `app.is_mine`, `now`. */
const callName = (routine: Routine | undefined): string =>
  /^(?:"(?:[^"]|"")*"|[^".(]+)(?:\.(?:"(?:[^"]|"")*"|[^".(]+))?/.exec(routine?.sql ?? '')?.[0] ?? ''

/** The nth call of a function in the tree is the nth in the text. */
function wrapCalls(catalog: Catalog, expression: Expression): string {
  const calls = callsOf(catalog, expression).map(({ functionOid, runsPerRow }) => {
    const routine = catalog.functions.get(Number(functionOid))
    return {
      call: callName(routine),
      returns: catalog.types.get(routine?.returns ?? 0)?.sql ?? '',
      runsPerRow,
    }
  })
  let wrapped = expression.text
  for (const name of new Set(calls.map(({ call }) => call))) {
    const ofName = calls.filter(({ call }) => call === name)
    // From the last to the first, so that the places of those before stay what they are.
    for (const [index, start] of [...findCallsInText(name, wrapped).entries()].reverse()) {
      if (ofName[index]?.runsPerRow !== true) continue
      const before = wrapped.slice(0, start)
      const end = closingParenthesis(wrapped, start + name.length) + 1
      // Without the cast, any ((select …)) would be of the rows of the sub-select.
      const cast = /\b(any|all) \($/i.test(before) ? `::${ofName[index].returns}` : ''
      wrapped = `${before}(select ${wrapped.slice(start, end)})${cast}${wrapped.slice(end)}`
    }
  }
  return wrapped
}

export const policyCallsVolatileFunction: Rule = {
  name: 'policy-calls-volatile-function',
  weight: 'failure',
  why:
    'Who sees a row must not change from one row to the next: a volatile function is asked for each, ' +
    'no index helps, and what it writes is written by reading.',
  find: (catalog) =>
    policiesOf(catalog).flatMap((policy) => {
      const called = functionsOf(catalog, policy).filter(({ volatility }) => volatility === 'v')
      return called.length === 0 ? [] : [volatileFault(catalog, policy, called)]
    }),
}

function functionsOf({ functions }: Catalog, policy: Policy): Routine[] {
  const oids = new Set(
    expressionsOf(policy).flatMap(({ expression }) => calledFunctions(expression.tree)),
  )
  return [...oids].flatMap((oid) => functions.get(Number(oid)) ?? [])
}

function volatileFault(catalog: Catalog, policy: Policy, called: Routine[]): Fault {
  const names = called.map(({ sql }) => sql).join(', ')
  // Nothing fails of what only reads, and whose author did not say so: it is asked for each row.
  const onlyReads = called.every((routine) => isVolatileForNothing(catalog, routine))
  const mend = onlyReads
    ? called.map(({ sql }) => `alter function ${sql} stable;`).join('\n')
    : `-- to be written anew without ${names}\n${closePolicy(policy)}`
  const weight = onlyReads ? { weight: 'slow' as const } : {}
  return { object: policy.object, ...weight, detail: `it calls ${names}`, mend }
}
