import type { Catalog, Routine } from '../../catalog/catalog.ts'
import { bodyOf } from './body-of.ts'
import { findNames, isSign } from './find-names.ts'
import { nameIndexOf } from './name-index.ts'
import { searchPathOf } from './reach-of.ts'
import type { Token } from './read-tokens.ts'
import {
  closingOf,
  findOutside,
  type Statements,
  splitAtCommas,
  splitStatements,
} from './split-statements.ts'
import { selectedBy, type Taint, taintOf } from './taint-of.ts'

/** How a function puts what it is given into SQL that it runs: as SQL, or as the name of a table or a column. */
export interface Execution {
  as: 'text' | 'name'
  /** The arguments, or columns of the row, that come there. */
  of: string[]
}

/** Functions that run SQL that they are given. */
const runsSql =
  /^(query_to_xml|query_to_xmlschema|query_to_xml_and_xmlschema|ts_stat|dblink|dblink_exec|dblink_open|dblink_send_query|crosstab[234n]?|xpath_table|connectby)$/

const known = new WeakMap<Routine, Execution | null>()

/**
 * @param sources what its callers say: names of arguments, `$1`, `new.title`
 */
export function findExecution(
  catalog: Catalog,
  routine: Routine,
  sources: readonly string[],
): Execution | null {
  const before = known.get(routine)
  if (before !== undefined) return before
  // One that calls itself is asked once.
  known.set(routine, null)
  const execution = sources.length === 0 ? null : analyse(catalog, routine, sources)
  known.set(routine, execution)
  return execution
}

function analyse(catalog: Catalog, routine: Routine, sources: readonly string[]): Execution | null {
  const tokens = bodyOf(routine)
  if (
    !tokens.some(
      ({ type, value }) => type === 'word' && (value === 'execute' || runsSql.test(value)),
    ) &&
    !callsOwn(catalog, routine)
  )
    return null
  const executed = executedBy(catalog, routine, tokens)
  if (executed.length === 0) return null
  const statements = splitStatements(tokens)
  const guarded = guardedIn(statements)
  const open = sources.filter((source) => !guarded.has(source))
  const all = judge(executed, statements, guarded, open)
  if (all === null) return null
  const of = open.filter((source) => judge(executed, statements, guarded, [source]) === all)
  return { as: all, of: of.length > 0 ? of : open }
}

function judge(
  executed: readonly (readonly Token[])[],
  { simple }: Statements,
  guarded: ReadonlySet<string>,
  sources: readonly string[],
): Taint {
  const held = new Map<string, Taint>(sources.map((source) => [source, 'text']))
  const tainted = (written: string): Taint => held.get(written) ?? null
  // Twice, for loops.
  for (const statement of [...simple, ...simple])
    for (const { to, from } of assignmentsIn(statement)) {
      const taint = guarded.has(to) ? null : taintOf(from, tainted)
      if (taint !== null && held.get(to) !== 'text') held.set(to, taint)
    }
  const taints = executed.map((expression) => taintOf(expression, tainted))
  return taints.includes('text') ? 'text' : taints.includes('name') ? 'name' : null
}

/** `x := …`, `x text := …`, `x alias for $1`, `select … into x`, `foreach x in array …`. */
export function assignmentsIn(
  statement: readonly Token[],
): { to: string; from: readonly Token[] }[] {
  const [first, second] = statement
  if (first === undefined) return []
  if (first.value === 'foreach')
    return [
      {
        to: second?.value ?? '',
        from: statement.slice(3).filter(({ value }) => value !== 'array'),
      },
    ]
  if (second?.value === 'alias') return [{ to: first.value, from: statement.slice(3) }]
  if (first.value === 'select') {
    const into = findOutside(statement, ({ type, value }) => type === 'word' && value === 'into')
    const targets = targetsFrom(statement.slice(into + 1))
    return targets.map((to) => ({ to, from: selectedBy(statement) }))
  }
  const sign = findOutside(
    statement,
    ({ type, value }) =>
      (type === 'sign' && (value === ':=' || value === '=')) ||
      (type === 'word' && value === 'default'),
  )
  const isQuery = [
    'update',
    'insert',
    'delete',
    'with',
    'perform',
    'return',
    'execute',
    'raise',
    'for',
    'merge',
  ].includes(first.value)
  if (isQuery || sign === statement.length) return []
  return [{ to: first.value, from: statement.slice(sign + 1) }]
}

function targetsFrom(tokens: readonly Token[]): string[] {
  const targets: string[] = []
  for (let place = tokens[0]?.value === 'strict' ? 1 : 0; place < tokens.length; place += 2) {
    targets.push(tokens[place]?.value ?? '')
    if (!isSign(tokens[place + 1], ',')) break
  }
  return targets
}

const asks = new Set(['in', 'any', 'all', 'exists', 'similar', 'like', 'ilike', 'between'])

/**
 * What a condition holds against a list, a pattern, a table or a function: then only what was meant may come so far. Whether
 * it is empty or null is no such thing.
 */
function guardedIn({ simple, conditions }: Statements): Set<string> {
  const guarded = new Set<string>()
  const asked = new Set<string>()
  for (const condition of conditions) {
    const names = findNames(condition)
    for (const { parts } of names) asked.add(parts.join('.'))
    const isGuard = condition.some(
      ({ type, value }, place) =>
        (type === 'word' && asks.has(value)) ||
        (type === 'sign' && /^!?~~?\*?$/.test(value)) ||
        (type === 'sign' &&
          (value === '<>' || value === '!=') &&
          condition[place + 1]?.type === 'string' &&
          condition[place + 1]?.value !== ''),
    )
    const isFunction = names.some(
      ({ isCalled, parts }) => isCalled && !tellsNothing.has(parts.at(-1) ?? ''),
    )
    if (!isGuard && !isFunction) continue
    for (const { parts } of names) guarded.add(parts.join('.'))
    for (const { type, value } of condition) if (type === 'parameter') guarded.add(value)
  }
  // Looked up first: `select … into found_one from … where name = p; if found_one is null then raise`.
  for (const statement of simple) {
    if (statement[0]?.value !== 'select' && statement[0]?.value !== 'perform') continue
    const where = findOutside(statement, ({ type, value }) => type === 'word' && value === 'from')
    const into = findOutside(statement, ({ type, value }) => type === 'word' && value === 'into')
    const isAsked =
      asked.has('found') || targetsFrom(statement.slice(into + 1)).some((to) => asked.has(to))
    if (isAsked)
      for (const { parts } of findNames(statement.slice(where))) guarded.add(parts.join('.'))
  }
  return guarded
}

const tellsNothing = new Set([
  'length',
  'char_length',
  'coalesce',
  'trim',
  'btrim',
  'lower',
  'upper',
  'nullif',
  'and',
  'or',
  'not',
  'if',
])

/** Each expression that becomes SQL. */
function executedBy(
  catalog: Catalog,
  routine: Routine,
  tokens: readonly Token[],
): (readonly Token[])[] {
  const found: (readonly Token[])[] = []
  if (routine.language === 'plpgsql')
    for (const [place, { type, value }] of tokens.entries()) {
      if (type !== 'word' || value !== 'execute' || !isStatement(tokens, place)) continue
      const rest = tokens.slice(place + 1)
      found.push(rest.slice(0, findOutside(rest, isEndOfExecuted)))
    }
  const index = nameIndexOf(catalog)
  const path = searchPathOf(routine)
  for (const { parts, isCalled, to } of findNames(tokens)) {
    if (!isCalled) continue
    const given = () => splitAtCommas(tokens.slice(to + 1, closingOf(tokens, to)))
    if (runsSql.test(parts.at(-1) ?? '')) found.push(...given())
    else
      for (const called of index.findRoutines(parts, path)) {
        const execution = called.isAsked ? executionOfArguments(catalog, called) : null
        if (execution?.as === 'text') found.push(...givenTo(called, given(), execution))
      }
  }
  return found
}

/** What is given for the arguments that it executes. */
function givenTo(
  called: Routine,
  given: (readonly Token[])[],
  { of }: Execution,
): (readonly Token[])[] {
  return given.filter(
    (_, place) => of.includes(called.argumentNames[place] ?? '') || of.includes(`$${place + 1}`),
  )
}

/** Not the word of a grant, or of `create trigger … execute function`. */
function isStatement(tokens: readonly Token[], place: number): boolean {
  const next = tokens[place + 1]?.value ?? ''
  return !['on', 'function', 'procedure', ',', ';', ')'].includes(next)
}

const isEndOfExecuted = ({ type, value }: Token): boolean =>
  type === 'sign' ? value === ';' : type === 'word' && ['into', 'using', 'loop'].includes(value)

const callsOwn = (catalog: Catalog, routine: Routine): boolean =>
  findNames(bodyOf(routine)).some(
    ({ isCalled, parts }) =>
      isCalled &&
      nameIndexOf(catalog)
        .findRoutines(parts, searchPathOf(routine))
        .some(({ isAsked }) => isAsked),
  )

/** Of a function that is called: through what it is given. */
export const executionOfArguments = (catalog: Catalog, routine: Routine): Execution | null =>
  findExecution(catalog, routine, textArgumentsOf(catalog, routine))

/** Its arguments that may hold SQL, by name and by number. */
function textArgumentsOf({ types }: Catalog, routine: Routine): string[] {
  return routine.argumentTypes.flatMap((oid, place) => {
    if (!mayHoldSql(types, oid)) return []
    const name = routine.argumentNames[place] ?? ''
    const number = `$${place + 1}`
    return name === '' ? [number] : [name, number, `${routine.name}.${name}`]
  })
}

/** Texts, and what texts stand in. */
export function mayHoldSql(types: Catalog['types'], oid: number): boolean {
  const type = types.get(oid)
  if (type === undefined) return false
  if (type.kind === 'd') return mayHoldSql(types, type.base)
  if (type.element > 0 && type.kind === 'b' && type.name.startsWith('_'))
    return mayHoldSql(types, type.element)
  return type.kind === 'b' && textual.has(type.name)
}

const textual = new Set(['text', 'varchar', 'bpchar', 'json', 'jsonb', 'xml', 'citext', 'name'])
