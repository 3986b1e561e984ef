import type { Privilege } from '../../catalog/acl.ts'
import type { Catalog, Routine } from '../../catalog/catalog.ts'
import { askersOf, calledAs, callersOf, grantedAs, namesOfRoles } from '../rights/askers.ts'
import { type Fired, triggersOf } from '../rights/triggers-of.ts'
import type { Fault, Rule } from '../rule.ts'
import {
  type Execution,
  executionOfArguments,
  findExecution,
  mayHoldSql,
} from '../sql-text/executes-argument.ts'
import { askedFunctions, isTriggerFunction } from './functions.ts'

export const executesItsArgument: Rule = {
  name: 'executes-its-argument',
  weight: 'hole',
  why:
    'What it is given becomes part of SQL that it runs: whoever calls it runs any statement, with the rights of the owner where ' +
    'it is security definer, and otherwise with rights that an API does not mean to give. format(‘%I’, ‘%L’) and using keep ' +
    'values apart from SQL.',
  find: (catalog) =>
    [...askedFunctions(catalog)].flatMap((routine) =>
      isTriggerFunction(catalog, routine)
        ? faultOfTrigger(catalog, routine)
        : faultOfFunction(catalog, routine),
    ),
}

function faultOfFunction(catalog: Catalog, routine: Routine): Fault[] {
  const callers = callersOf(catalog, routine)
  const execution = callers.length === 0 ? null : executionOfArguments(catalog, routine)
  const judged = judge(catalog, routine, execution)
  if (judged === null) return []
  const who = namesOfRoles(catalog, callers)
  return [
    {
      object: calledAs(routine),
      weight: judged.weight,
      detail: `${who} may execute it, and ${judged.detail}`,
      mend: `revoke execute on ${grantedAs(routine)} from ${who};`,
    },
  ]
}

/** The names that only its owner can say are quoted; that they are any table of the owner's is the caller's choice. */
function judge(
  { roles }: Catalog,
  { isSecurityDefiner, owner }: Routine,
  execution: Execution | null,
): { weight: 'hole' | 'leak'; detail: string } | null {
  if (execution === null) return null
  // Within a definer Postgres sets no role, and with its caller's rights nobody grants what is not theirs.
  if (execution.as !== 'text' && isSecurityDefiner === (execution.as === 'role')) return null
  const of = execution.of.filter(
    (name) => !name.startsWith('$') && !isQualifiedTwice(name, execution.of),
  )
  const what = (of.length > 0 ? of : execution.of).join(', ')
  const isAbove = roles.get(owner)?.isSuperuser === true ? ', who is a superuser' : ''
  const as = isSecurityDefiner ? `as its owner${isAbove}` : 'as whoever calls it'
  if (execution.as === 'role')
    return { weight: 'hole', detail: `${what} says as which role the transaction goes on` }
  if (execution.as === 'rights')
    return { weight: 'hole', detail: `${what} says whose rights are changed, ${as}` }
  return execution.as === 'name'
    ? { weight: 'leak', detail: `${what} says which table or column it asks, ${as}` }
    : { weight: isSecurityDefiner ? 'hole' : 'leak', detail: `${what} is run as SQL, ${as}` }
}

/** `f.p` beside `p`. */
const isQualifiedTwice = (name: string, names: readonly string[]): boolean =>
  !/^(new|old)\./.test(name) &&
  name.includes('.') &&
  names.includes(name.slice(name.lastIndexOf('.') + 1))

function faultOfTrigger(catalog: Catalog, routine: Routine): Fault[] {
  const open = triggersOf(catalog, routine.oid).filter(
    (fired) => writersOf(catalog, fired).length > 0,
  )
  const execution =
    open.length === 0 ? null : findExecution(catalog, routine, valuesOf(catalog, open))
  const judged = judge(catalog, routine, execution)
  if (judged === null) return []
  const [first] = open
  const who = first === undefined ? '' : namesOfRoles(catalog, writersOf(catalog, first))
  return [
    {
      object: calledAs(routine),
      weight: judged.weight,
      detail: `${who} may write to ${first?.relation.sql}, whose trigger it is, and ${judged.detail}`,
      mend: [
        '-- until what is written is kept apart from SQL',
        ...open.map(
          ({ relation, trigger }) => `alter table ${relation.sql} disable trigger ${trigger.sql};`,
        ),
      ].join('\n'),
    },
  ]
}

/** pg_trigger.tgtype. */
const events: readonly [bit: number, privilege: Privilege][] = [
  [4, 'insert'],
  [8, 'delete'],
  [16, 'update'],
]

const writersOf = (catalog: Catalog, { relation, trigger }: Fired): number[] =>
  askersOf(
    catalog,
    relation,
    ...events.filter(([bit]) => (trigger.type & bit) > 0).map(([, privilege]) => privilege),
  )

const valuesOf = ({ types }: Catalog, fired: readonly Fired[]): string[] => [
  ...new Set(
    fired.flatMap(({ relation }) =>
      relation.columns
        .filter(({ type }) => mayHoldSql(types, type))
        .flatMap(({ name }) => [`new.${name}`, `old.${name}`]),
    ),
  ),
]
