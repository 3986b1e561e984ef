import type { Catalog, Expression, Policy, Relation, Routine } from '../../catalog/catalog.ts'
import { nodesIn, type TreeNode, wordOf } from '../../catalog/parse-node-tree.ts'
import { alternativesOf } from '../asking/alternatives-of.ts'
import { asksSomebody } from '../asking/branches.ts'
import { joinsByAnybody } from '../asking/joins-by-anybody.ts'
import { isUnique, type Membership, membershipsIn } from '../asking/memberships.ts'
import { helperFault } from '../asking/memberships-in-helpers.ts'
import { type Surroundings, surroundingsOf } from '../asking/surroundings.ts'
import { operatorOf } from '../asking/value.ts'
import { tokensOf } from '../expressions/body-tokens.ts'
import { placesOf } from '../expressions/find-nodes.ts'
import {
  type ResolvedColumn,
  rangeTableOf,
  relationsOf,
  resolveColumn,
  type Scope,
  scopeOf,
  targetsOf,
  within,
} from '../expressions/scope.ts'
import { ANY, ARRAY, argumentsOf, queryOf, unwrap, VALUE } from '../expressions/unwrap.ts'
import { withoutOuterParentheses } from '../mends/expression-text.ts'
import { closePolicy, excerpt, expressionsOf } from '../mends/policy-expressions.ts'
import { replaceColumn } from '../mends/replace-column.ts'
import type { Fault, Rule } from '../rule.ts'

const foldings = new Set(['lower', 'upper', 'btrim', 'ltrim', 'rtrim'])
const comparisons = new Set(['=', '<>', '<', '>', '<=', '>='])

export const columnComparedWithItself: Rule = {
  name: 'column-compared-with-itself',
  weight: 'hole',
  why:
    'A name without a table before it is looked for in the innermost query first: what was to be compared with the row ' +
    'is compared with itself, which is true of every row.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    return [
      ...around.policies.flatMap((policy) => {
        const found = expressionsOf(policy).flatMap(({ expression }) =>
          comparedWithItself(catalog, expression, policy.relation.oid),
        )
        return found.length === 0 ? [] : [selfFault(catalog, policy, found)]
      }),
      ...functionsComparing(catalog),
    ]
  },
}

/** Each column that is held against itself, and in which query. */
function comparedWithItself(
  catalog: Catalog,
  { tree }: Expression,
  relation: number,
): ResolvedColumn[] {
  const columnAt = (side: TreeNode, scope: Scope): ResolvedColumn | null => {
    const place = unwrap(side, scope)
    const routine = catalog.functions.get(Number(wordOf(place.node, 'funcid')))
    const [inner] = argumentsOf(place.node)
    // As in `lower (id::text)`.
    return routine?.schema.isOfPostgres === true &&
      foldings.has(routine.name) &&
      inner !== undefined
      ? columnAt(inner, place.scope)
      : resolveColumn(place.node, place.scope)
  }
  const pairs = (['OPEXPR', 'DISTINCTEXPR', 'SCALARARRAYOPEXPR'] as const).flatMap((type) =>
    placesOf(tree, relation, type).flatMap(({ node, scope }) => {
      if (type !== 'DISTINCTEXPR' && !comparisons.has(operatorOf(node, catalog))) return []
      const [one, other] = argumentsOf(node)
      const others = other?.type === 'ARRAYEXPR' ? nodesIn(other, 'elements') : [other]
      return others.map((each) =>
        [one, each].map((side) => (side === undefined ? null : columnAt(side, scope))),
      )
    }),
  )
  return pairs.flatMap(([one, other]) => (one != null && one.key === other?.key ? [one] : []))
}

/** As people write it: `app.members.team_id`. */
function nameColumn(
  { relations }: Catalog,
  { relation, column }: Pick<ResolvedColumn, 'relation' | 'column'>,
): string {
  const table = relations.get(relation)
  return `${table?.sql ?? 'a table'}.${table?.columns.find(({ number }) => number === column)?.sql ?? 'a column'}`
}

function selfFault(catalog: Catalog, policy: Policy, found: ResolvedColumn[]): Fault {
  const { relation, sql } = policy
  const detail = [
    ...new Set(
      found.map(
        (column) =>
          `${nameColumn(catalog, column)} is compared with itself${meant(catalog, relation, column)}`,
      ),
    ),
  ].join('; ')
  const clauses = expressionsOf(policy).map(({ expression, isUsing }) => {
    const text = found.reduce(
      (changed, column) => mended(catalog, relation, changed, column),
      expression.text,
    )
    return { isUsing, text, isChanged: text !== expression.text }
  })
  const isMended =
    found.every((column) => !column.isOfRow) && clauses.some(({ isChanged }) => isChanged)
  const alter = clauses
    .map(
      ({ isUsing, text }) =>
        `\n  ${isUsing ? 'using' : 'with check'} (${withoutOuterParentheses(text)})`,
    )
    .join('')
  return {
    object: policy.object,
    detail,
    mend: isMended
      ? `alter policy ${sql} on ${relation.sql}${alter};`
      : `-- what was it to be compared with? Until that is said, nobody gets in by it\n${closePolicy(policy)}`,
  }
}

const sameNamed = (catalog: Catalog, table: Relation, { relation, column }: ResolvedColumn) => {
  const name = catalog.relations
    .get(relation)
    ?.columns.find(({ number }) => number === column)?.name
  return table.columns.find((own) => own.name === name)
}

function meant(catalog: Catalog, table: Relation, found: ResolvedColumn): string {
  const own = found.isOfRow ? undefined : sameNamed(catalog, table, found)
  return own === undefined ? '' : `, and not with ${table.sql}.${own.sql}`
}

function mended(catalog: Catalog, table: Relation, text: string, found: ResolvedColumn): string {
  const own = found.isOfRow ? undefined : sameNamed(catalog, table, found)
  // As pg_get_expr names the table of the policy within a sub-select.
  return own === undefined
    ? text
    : replaceColumn(text, own.sql, `${table.sql.slice(table.schema.sql.length + 1)}.${own.sql}`)
}

/** Functions whose bodies Postgres keeps parsed, and in which an argument has the name of a column. */
function functionsComparing(catalog: Catalog): Fault[] {
  return [...catalog.functions.values()].flatMap((routine) => {
    if (!routine.isAsked) return []
    if (routine.sqlBody === null) return textComparing(routine)
    const [found] = comparedWithItself(catalog, routine.sqlBody, 0)
    if (found === undefined) return []
    const argument = routine.argumentNames.find((name) =>
      nameColumn(catalog, found).endsWith(`.${name}`),
    )
    return [
      {
        object: `${routine.kind} ${routine.sql}`,
        detail: `${nameColumn(catalog, found)} is compared with itself${argument === undefined ? '' : `, and not with the argument ${argument}`}`,
        mend: `-- write the argument with the function's name before it, or by its number: ${routine.name}.${argument ?? '…'}, $1`,
      },
    ]
  })
}

/** What may stand before a condition. */
const beforeCondition = new Set(['where', 'and', 'or', 'on', 'when', 'not', '('])

/** The same, of a text in which a column goes before an argument: in language sql, and in plpgsql that says so. */
function textComparing(routine: Routine): Fault[] {
  const tokens = tokensOf(routine.source ?? '')
  const says = tokens.findIndex(({ text }) => text === 'variable_conflict')
  if (routine.language !== 'sql' && tokens[says + 1]?.text !== 'use_column') return []
  const names = new Set(routine.argumentNames)
  const at = (index: number) => tokens[index]?.text ?? ''
  const isBare = (index: number) =>
    tokens[index]?.kind === 'name' && names.has(at(index)) && !['.', '('].includes(at(index + 1))
  const isOfTable = (index: number) =>
    tokens[index]?.kind === 'name' &&
    at(index + 1) === '.' &&
    ![routine.name, 'new', 'old', 'excluded'].includes(at(index))
  const found = tokens.findIndex((_, index) => {
    if (!beforeCondition.has(at(index - 1))) return false
    return isOfTable(index)
      ? at(index + 3) === '=' && isBare(index + 4) && at(index + 2) === at(index + 4)
      : isBare(index) &&
          at(index + 1) === '=' &&
          isOfTable(index + 2) &&
          at(index + 4) === at(index)
  })
  if (found === -1) return []
  const argument = isOfTable(found) ? at(found + 2) : at(found)
  return [
    {
      object: `${routine.kind} ${routine.sql}`,
      detail: `the column ${argument} is compared with itself, and not with the argument ${argument}`,
      mend: `-- write the argument with the function's name before it, or by its number: ${routine.name}.${argument}, $1`,
    },
  ]
}

export const subSelectAnswersWithRow: Rule = {
  name: 'sub-select-answers-with-the-row',
  weight: 'hole',
  why:
    'The table that the sub-select asks has no such column, so Postgres takes it from the row around: the row is compared ' +
    'with itself, and let through wherever that table has a row at all.',
  find: (catalog, names) =>
    surroundingsOf(catalog, names).policies.flatMap((policy) => {
      const found = expressionsOf(policy).flatMap(({ expression }) =>
        answersFromAround(catalog, expression, policy.relation.oid),
      )
      return found.length === 0
        ? []
        : [
            {
              object: policy.object,
              detail: [...new Set(found)].join('; '),
              mend: `-- which column of that table was meant? Until that is said, nobody gets in by it\n${closePolicy(policy)}`,
            },
          ]
    }),
}

const answering = new Set([ANY, VALUE, ARRAY])

function answersFromAround(catalog: Catalog, { tree }: Expression, relation: number): string[] {
  return placesOf(tree, relation, 'SUBLINK').flatMap(({ node, scope }) => {
    if (!answering.has(wordOf(node, 'subLinkType'))) return []
    const query = queryOf(node)
    const [target] = query === undefined ? [] : targetsOf(query)
    const [table] = query === undefined ? [] : relationsOf(query)
    if (
      query === undefined ||
      target === undefined ||
      table === undefined ||
      rangeTableOf(query).length === 0
    )
      return []
    const place = unwrap(target, within(scope, query))
    if (
      place.node.type !== 'VAR' ||
      place.scope.queries.length > scope.queries.length + 1 ||
      wordOf(place.node, 'varlevelsup') === '0'
    )
      return []
    const column = resolveColumn(place.node, place.scope)
    return column === null
      ? []
      : [
          `${nameColumn(catalog, column)} stands where a column of ${catalog.relations.get(table)?.sql ?? 'a table'} was meant`,
        ]
  })
}

export const membershipOfAnybody: Rule = {
  name: 'membership-of-anybody',
  weight: 'hole',
  why: 'It asks whether somebody is a member, and not whether it is the one who asks: one member is enough for everybody.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    return around.opening.flatMap((policy) =>
      membershipFault(around, policy, 'who', (membership) => {
        const { table, mentioned, isBare, people, asks } = membership
        const [person] = people
        if (!isBare || person === undefined || asks) return null
        if (people.some((column) => mentioned.has(column))) return null
        // Of a thing there is one row, and its owner stands in it; of members there are many.
        if ([...mentioned].some((column) => isUnique(table, column))) return null
        if (around.asking.isAskedFor(table.oid)) return null
        return `it looks for a row of ${table.sql}, whoever stands in its ${nameOf(table, person)}`
      }),
    )
  },
}

export const membershipOfAnything: Rule = {
  name: 'membership-of-anything',
  weight: 'hole',
  why: 'It asks who it is, and not whether it is this row that they belong to: a member of anything sees everything.',
  find: (catalog, names) => {
    const around = surroundingsOf(catalog, names)
    const inPolicies = around.opening.flatMap((policy) =>
      membershipFault(
        around,
        policy,
        'which',
        ({ table, mentioned, comparesRow, asks, shared, isOffice, isTorn }) => {
          if (isTorn)
            return `it looks for a row of ${table.sql} that is of whoever asks, and for another that belongs to this one: nothing holds the two together`
          if (!asks || comparesRow || isOffice) return null
          const forgotten = shared().find(({ column }) => !mentioned.has(column))
          if (forgotten === undefined) return null
          return `it looks for a row of ${table.sql}, whatever its ${nameOf(table, forgotten.column)}: not that of ${policy.relation.sql}.${nameOf(policy.relation, forgotten.ofRow)}`
        },
      ),
    )
    return [...inPolicies, ...joiningFaults(around)]
  },
}

/** A membership that everybody gives themselves asks nothing of anybody. */
function joiningFaults(around: Surroundings): Fault[] {
  const byPolicy = Map.groupBy(joinsByAnybody(around), ({ policy }) => policy)
  return [...byPolicy].map(([policy, joins]) => {
    const named = new Set(joins.map(({ column }) => nameOf(policy.relation, column)))
    const opened = new Set(joins.map(({ opens }) => opens.object))
    return {
      object: policy.object,
      detail: `whoever asks adds themselves with any ${[...named].join(', ')}, and ${[...opened].join(', ')} goes by that`,
      mend: `-- who lets whom in? Ask for it in with check, or let a function add them; until then, nobody adds themselves\n${closePolicy(policy)}`,
    }
  })
}

const nameOf = ({ columns }: Relation, number: number): string =>
  columns.find((column) => column.number === number)?.sql ?? 'column'

/** The sub-selects that decide by themselves: beside another condition that asks, one may ask for less. */
function membershipFault(
  around: Surroundings,
  policy: Policy,
  leavesOut: 'who' | 'which',
  judge: (membership: Membership) => string | null,
): Fault[] {
  const details = expressionsOf(policy).flatMap(({ expression }) =>
    alternativesOf(expression.tree).flatMap((branch) => {
      const asks = branch.filter((part) =>
        asksSomebody(part, scopeOf(policy.relation.oid), around.asking),
      )
      return branch
        .filter((part) => asks.every((other) => other === part))
        .flatMap((part) => [
          ...membershipsIn(part, policy.relation, around).flatMap(
            (membership) => judge(membership) ?? [],
          ),
          ...[helperFault(part, policy, around, leavesOut) ?? []].flat(),
        ])
    }),
  )
  const [detail] = details
  if (detail === undefined) return []
  const [expression] = expressionsOf(policy)
  return [
    {
      object: policy.object,
      detail: [...new Set(details)].join('; '),
      mend:
        `-- say in the sub-select both whose row it is and that it is of this one: ${expression === undefined ? '' : excerpt(expression.expression).replaceAll('\n', ' ')}\n` +
        closePolicy(policy),
    },
  ]
}
