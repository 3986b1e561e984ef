import type { Policy, Relation, Routine } from '../../catalog/catalog.ts'
import { type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import { type Token, tokensOf } from '../expressions/body-tokens.ts'
import { scopeOf } from '../expressions/scope.ts'
import { argumentsOf, unwrap } from '../expressions/unwrap.ts'
import { asksSomebody } from './branches.ts'
import { peopleIn } from './memberships.ts'
import { columnsBelow } from './pinned-columns.ts'
import type { Surroundings } from './surroundings.ts'

/** A function that a policy gives a column of the row, and that looks for a row of one table of people. */
interface Helper {
  routine: Routine
  table: Relation
  tokens: Token[]
}

/** What such a function leaves out, as far as its text shows: who it is, or which row it is about. */
export function helperFault(
  condition: TreeNode,
  { relation }: Policy,
  around: Surroundings,
  leavesOut: 'who' | 'which',
): string | null {
  const helper = helperIn(condition, relation, around)
  if (helper === null) return null
  const { routine, table } = helper
  const { catalog, identity } = around
  const asks = identity.sourcesOfFunction(routine).length > 0
  if (leavesOut === 'which')
    return asks && !usesArguments(helper)
      ? `${routine.sql} looks for a row of ${table.sql}, whatever it is given`
      : null
  const people = table.columns.filter(({ number }) => peopleIn(catalog, table).includes(number))
  const isNamed = helper.tokens.some(({ text }) => people.some(({ name }) => name === text))
  return asks || isNamed || !isBare(helper)
    ? null
    : `${routine.sql} looks for a row of ${table.sql}, whoever stands in its ${people[0]?.sql}`
}

function helperIn(
  condition: TreeNode,
  relation: Relation,
  { asking, catalog }: Surroundings,
): Helper | null {
  const { node, scope } = unwrap(condition, scopeOf(relation.oid))
  const routine = catalog.functions.get(Number(wordOf(node, 'funcid')))
  const given = argumentsOf(node)
  if (
    node.type !== 'FUNCEXPR' ||
    routine?.isSecurityDefiner !== true ||
    routine.schema.isOfPostgres ||
    given.some((argument) => asksSomebody(argument, scope, asking)) ||
    !given.some((argument) => columnsBelow(argument, scope).length > 0)
  )
    return null
  const tokens = tokensOf(routine.sqlBody?.text ?? routine.source ?? '')
  const names = tokens.flatMap(
    ({ text }, index): { schema: string | null; name: string | undefined }[] => {
      const [first, dot, second] = tokens.slice(index + 1, index + 4)
      if ((text !== 'from' && text !== 'join') || first?.kind !== 'name') return []
      return dot?.text === '.'
        ? [{ schema: first.text, name: second?.text }]
        : [{ schema: null, name: first.text }]
    },
  )
  const [named] = names
  const tables = [...catalog.relations.values()].filter(
    (table) =>
      table.name === named?.name &&
      (named?.schema ?? table.schema.name) === table.schema.name &&
      'rp'.includes(table.kind) &&
      !table.schema.isOfPostgres,
  )
  const [table] = tables
  return names.length !== 1 ||
    tables.length !== 1 ||
    table === undefined ||
    table.oid === relation.oid ||
    peopleIn(catalog, table).length === 0
    ? null
    : { routine, table, tokens }
}

const usesArguments = ({ routine, tokens }: Helper): boolean =>
  tokens.some(
    ({ text }) => /^\$\d/.test(text) || routine.argumentNames.includes(text) || text === 'execute',
  )

/** One comparison, and nothing beside it. */
const isBare = ({ tokens }: Helper): boolean =>
  tokens.filter(({ text }) => text === '=').length === 1 &&
  !tokens.some(({ kind, text }) => kind === 'literal' || /^(and|or|not|execute)$/.test(text))
