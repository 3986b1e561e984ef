import type { Catalog, Routine } from '../../catalog/catalog.ts'
import { assignmentsIn } from './assignments-in.ts'
import { bodyOf } from './body-of.ts'
import { findNames } from './find-names.ts'
import { guardedIn } from './guarded-in.ts'
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
import { type Taint, taintOf } from './taint-of.ts'

/**
 * How a function puts what it is given into SQL that it runs: as SQL, or as the name of a table or a column; or of a role,
 * that it goes on as, or that is granted or changed.
 */
export interface Execution {
  as: 'text' | 'name' | 'role' | 'rights'
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
      ({ type, value }) =>
        type === 'word' && (value === 'execute' || value === 'set_config' || runsSql.test(value)),
    ) &&
    !callsOwn(catalog, routine)
  )
    return null
  const statements = splitStatements(tokens)
  const guarded = guardedIn(statements)
  const open = sources.filter(
    (source) => !guarded.has(source) && !guarded.has(source.slice(0, source.lastIndexOf('.'))),
  )
  const findIn = (expressions: readonly (readonly Token[])[]) => {
    const all = judge(expressions, statements, guarded, open)
    if (all === null) return null
    const of = open.filter((source) => judge(expressions, statements, guarded, [source]) === all)
    return { as: all, of: of.length > 0 ? of : open }
  }
  const found = findIn(executedBy(catalog, routine, tokens))
  if (found?.as === 'text') return found
  const named = findIn(rolesSetBy(tokens)) ?? (isOfRoles(tokens, setsRole) ? found : null)
  if (named !== null) return { ...named, as: 'role' }
  return found !== null && isOfRoles(tokens, changesRights) ? { ...found, as: 'rights' } : found
}

const setsRole = /^\s*set\s+(local\s+|session\s+)?(role|session\s+authorization)\b/i
const changesRights =
  /^\s*(grant|(alter|create|drop)\s+(role|user|group)|(alter|create)\s+policy|alter\s+default\s+privileges)\b/i

const isOfRoles = (tokens: readonly Token[], command: RegExp): boolean =>
  tokens.some(({ type, value }) => type === 'string' && command.test(value))

/** What `set_config('role', …)` is given. */
function rolesSetBy(tokens: readonly Token[]): (readonly Token[])[] {
  return findNames(tokens).flatMap(({ parts, isCalled, to }) => {
    if (!isCalled || parts.at(-1) !== 'set_config') return []
    const [setting, value] = splitAtCommas(tokens.slice(to + 1, closingOf(tokens, to)))
    const name = setting?.[0]
    const isRole =
      name?.type === 'string' && /^(role|session_authorization)$/i.test(name.value.trim())
    return isRole && value !== undefined ? [value] : []
  })
}

function judge(
  executed: readonly (readonly Token[])[],
  { simple }: Statements,
  guarded: ReadonlySet<string>,
  sources: readonly string[],
): Taint {
  const held = new Map<string, Taint>(sources.map((source) => [source, 'text']))
  const recordOf = new Map<string, string>()
  const tainted = (written: string): Taint => {
    if (guarded.has(written)) return null
    const dot = written.indexOf('.')
    const record = dot === -1 ? undefined : recordOf.get(written.slice(0, dot))
    return held.get(record === undefined ? written : `${record}${written.slice(dot)}`) ?? null
  }
  // Twice, for loops.
  for (const statement of [...simple, ...simple])
    for (const { to, from } of assignmentsIn(statement)) {
      // `r := new`: its fields are those of the row.
      const [only] = from
      if (from.length === 1 && only !== undefined && only.type !== 'string')
        recordOf.set(to, recordOf.get(only.value) ?? only.value)
      const taint = guarded.has(to) ? null : taintOf(from, tainted)
      if (taint !== null && held.get(to) !== 'text') held.set(to, taint)
    }
  const taints = executed.map((expression) => taintOf(expression, tainted))
  return taints.includes('text') ? 'text' : taints.includes('name') ? 'name' : null
}

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
function textArgumentsOf({ types, relations }: Catalog, routine: Routine): string[] {
  return routine.argumentTypes.flatMap((oid, place) => {
    const name = routine.argumentNames[place] ?? ''
    const number = `$${place + 1}`
    const type = types.get(oid)
    const fields = relations.get(type?.relation ?? 0)?.columns ?? type?.fields ?? []
    if (type?.kind === 'c')
      return fields
        .filter((field) => mayHoldSql(types, field.type))
        .flatMap((field) =>
          [name, number].filter((one) => one !== '').map((one) => `${one}.${field.name}`),
        )
    if (!mayHoldSql(types, oid)) return []
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
