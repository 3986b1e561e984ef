import type { TreeNode } from '../../catalog/parse-node-tree.ts'
import { grants } from '../catalog-sources.ts'
import { closingParenthesis, findCallsInText } from '../expression-text.ts'
import { calledFunctions, findCalls } from '../find-calls.ts'
import { alterPolicy, expressionsOf, type PolicyRow, policies } from '../policy-source.ts'
import type { QueriedRule as Rule } from '../queried-rule.ts'
import type { Fault } from '../rule.ts'

/** A restrictive policy is right to hold for everybody. */
export const policyToPublic: Rule = {
  name: 'policy-to-public',
  why:
    'Without to, a policy is for every role there is and will be: a grant to a new role shows it the ' +
    'rows that were meant for another.',
  query: `
    select object, format('alter policy %s on %s to %s;', policy, p.table, coalesce((
      select string_agg(distinct grantee_name, ', ') from ${grants} as g where g.oid = p.relation and grantee <> 0
    ), quote_ident(pg_get_userbyid(relowner)))) as mend
    from (${policies}) as p
    where polroles = '{0}' and polpermissive`,
}

export const policyCallsFunctionPerRow: Rule = {
  name: 'policy-calls-function-per-row',
  why:
    'The function knows nothing of the row and yet runs for each: written (select f()), it runs once ' +
    'per statement, and its answer can be looked up in an index.',
  query: policies,
  read: (row: PolicyRow) => {
    const isPerRow = expressionsOf(row).some(({ tree }) =>
      callsOf(row, tree).some(({ runsPerRow }) => runsPerRow),
    )
    const wrap = (tree: TreeNode, text: string) => wrapCalls(row, tree, text)
    return isPerRow ? [{ object: row.object, mend: alterPolicy(row, wrap) }] : []
  },
}

const callsOf = ({ functions }: PolicyRow, tree: TreeNode) =>
  findCalls(tree, (oid) => functions[oid]?.volatility === 'i')

/** The nth call of a function in the tree is the nth in the text. */
function wrapCalls(row: PolicyRow, tree: TreeNode, text: string): string {
  const calls = callsOf(row, tree).map(({ functionOid, runsPerRow }) => ({
    ...row.functions[functionOid],
    runsPerRow,
  }))
  let wrapped = text
  for (const name of new Set(calls.map(({ call = '' }) => call))) {
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
  why:
    'Who sees a row must not change from one row to the next: a volatile function is asked for each, ' +
    'no index helps, and what it writes is written by reading.',
  query: policies,
  read: (row: PolicyRow) => {
    const oids = new Set(expressionsOf(row).flatMap(({ tree }) => calledFunctions(tree)))
    const called = [...oids]
      .map((oid) => row.functions[oid])
      .filter((found) => found?.volatility === 'v')
    return called.length === 0 ? [] : [{ object: row.object, mend: mendVolatile(row, called) }]
  },
}

function mendVolatile(
  { policy, table }: PolicyRow,
  called: (PolicyRow['functions'][string] | undefined)[],
): Fault['mend'] {
  if (called.every((found) => found?.only_reads === true))
    return called.map((found) => `alter function ${found?.name} stable;`).join('\n')
  const names = called.map((found) => found?.name).join(', ')
  return `-- to be written anew without ${names}\ndrop policy ${policy} on ${table};`
}
