import type { Catalog, Routine } from '../../catalog/catalog.ts'
import type { Names } from '../../names.ts'
import type { Token } from '../sql-text/read-tokens.ts'
import { usesOf } from './calls-in-tree.ts'
import { calledBy } from './find-policy-helpers.ts'
import { isSign, isWord, tokensOf } from './tokens-of.ts'

/** Functions of Postgres whose answer is the moment's, the session's or chance's, whatever they are given. */
const changing = new Set(
  (
    'current_setting set_config now transaction_timestamp statement_timestamp clock_timestamp timeofday random ' +
    'random_normal gen_random_uuid uuidv4 uuidv7 nextval currval lastval txid_current pg_current_xact_id ' +
    'pg_backend_pid inet_client_addr current_schema current_schemas current_database'
  ).split(' '),
)
const changingWords = [
  ...['current_date', 'current_time', 'current_timestamp', 'localtime', 'localtimestamp'],
  ...['current_user', 'session_user', 'current_role'],
]

/** What a function surely reads that is not in its arguments, in words; null where it shows nothing. */
export function findRead(catalog: Catalog, names: Names, routine: Routine): string | null {
  const reached = new Set([routine])
  for (const one of reached) {
    const own = ownRead(catalog, names, one)
    if (own !== null) return one === routine ? own : `${own}, by ${one.sql}`
    for (const oid of calledBy(catalog, one)) {
      const called = catalog.functions.get(oid)
      if (called !== undefined && !called.schema.isOfPostgres) reached.add(called)
    }
  }
  return null
}

const known = new WeakMap<Routine, string | null>()

function ownRead(catalog: Catalog, names: Names, routine: Routine): string | null {
  const before = known.get(routine)
  if (before !== undefined) return before
  const read =
    routine.sqlBody === null
      ? inTokens(tokensOf(routine), names)
      : inTree(catalog, routine.sqlBody.tree)
  known.set(routine, read)
  return read
}

function inTree(catalog: Catalog, tree: Parameters<typeof usesOf>[1]): string | null {
  const { relations, functions, asksSession } = usesOf(catalog, tree)
  if (asksSession) return 'the time or the user'
  for (const oid of relations) {
    const relation = catalog.relations.get(oid)
    if (relation !== undefined) return relation.sql
  }
  for (const oid of functions) {
    const called = catalog.functions.get(oid)
    if (called?.schema.isOfPostgres && changing.has(called.name)) return `${called.name}()`
  }
  return null
}

function inTokens(tokens: readonly Token[], { identityFunctions }: Names): string | null {
  const withNames = commonTables(tokens)
  for (const [place, token] of tokens.entries()) {
    const [before, next] = [tokens[place - 1], tokens[place + 1]]
    if (token.type !== 'word') continue
    if (isWord(token, ...changingWords) && !isSign(before, '.') && !isWord(before, 'as'))
      return token.value
    if (!isSign(next, '(')) continue
    const schema = isSign(before, '.') ? tokens[place - 2]?.value : undefined
    if (identityFunctions.includes(`${schema}.${token.value}`)) return `${schema}.${token.value}()`
    if (changing.has(token.value) && (schema === undefined || schema === 'pg_catalog'))
      return `${token.value}()`
  }
  return tablesIn(tokens).find((table) => !withNames.has(table)) ?? null
}

/** What `with name as (…)` makes, and `with recursive name (…) as (…)`. */
function commonTables(tokens: readonly Token[]): Set<string> {
  const made = new Set<string>()
  for (const [place, token] of tokens.entries()) {
    const before = tokens[place - 1]
    const isNamed = token.type === 'word' || token.type === 'name'
    if (isNamed && (isWord(before, 'with', 'recursive') || isSign(before, ',')))
      made.add(token.value)
  }
  return made
}

/** `from app.notes` and `join app.notes`, in a query: `extract(day from x)` asks no table. */
function tablesIn(tokens: readonly Token[]): string[] {
  const found: string[] = []
  const isInQuery = [false]
  for (const [place, token] of tokens.entries()) {
    const [before, next] = [tokens[place - 1], tokens[place + 1]]
    if (isSign(token, '(')) isInQuery.push(false)
    else if (isSign(token, ')')) isInQuery.pop()
    else if (isSign(token, ';')) isInQuery.splice(0, isInQuery.length, false)
    else if (isWord(token, 'select')) isInQuery[isInQuery.length - 1] = true
    else if (isWord(token, 'from', 'join') && isInQuery.at(-1) && !isWord(before, 'distinct')) {
      const first = isWord(next, 'only') ? place + 2 : place + 1
      const table = nameAt(tokens, first)
      if (table !== null) found.push(table)
    }
  }
  return found
}

/** A name that is not a call's. */
function nameAt(tokens: readonly Token[], place: number): string | null {
  const [name, dot, second] = [tokens[place], tokens[place + 1], tokens[place + 2]]
  if (name === undefined || !['word', 'name'].includes(name.type)) return null
  if (isWord(name, 'lateral', 'unnest', 'rows', 'json_table', 'xmltable')) return null
  if (!isSign(dot, '.')) return isSign(dot, '(') ? null : name.value
  return isSign(tokens[place + 3], '(') || second === undefined
    ? null
    : `${name.value}.${second.value}`
}
