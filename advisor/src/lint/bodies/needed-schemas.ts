import type { Catalog, Routine, Schema } from '../../catalog/catalog.ts'
import { bodyOf } from '../sql-text/body-of.ts'
import { findNames, isSign, type WrittenName } from '../sql-text/find-names.ts'
import { readTokens, type Token } from '../sql-text/read-tokens.ts'
import { isWritten, operatorsIn } from './tokens-of.ts'

type Named = ReadonlyMap<string, ReadonlySet<Schema>>

/** Outside of pg_catalog, and nowhere in it. */
interface Elsewhere {
  relations: Named
  functions: Named
  types: Named
  operators: Named
}

/**
 * The schemas, as SQL names them, in which the names of a body are found that are written without one. Null where that
 * cannot be said: a name is there twice, or the body is not SQL.
 */
export function neededSchemas(catalog: Catalog, routine: Routine): string[] | null {
  // Parsed when it was made, it looks no name up.
  if (routine.sqlBody !== null) return []
  if (!isWritten(routine)) return null
  const elsewhere = elsewhereIn(catalog)
  const needed = new Set<string>()
  for (const schemas of namedIn(bodyOf(routine), elsewhere)) {
    const schema = chooseOf(routine, schemas)
    if (schema === null) return null
    needed.add(schema.sql)
  }
  // In public, which is on everybody's path, last: what is of the function's own schema was meant.
  return [...needed].sort((one, other) => Number(one === 'public') - Number(other === 'public'))
}

/** The only one; of several, none is surer than another. */
function chooseOf({ schema: own }: Routine, schemas: ReadonlySet<Schema>): Schema | null {
  if (schemas.size === 1) return [...schemas][0] ?? null
  const usual = [...schemas].filter((schema) => schema === own || schema.name === 'public')
  return usual.length === 1 ? (usual[0] ?? null) : null
}

/** For each name without a schema, the schemas where there is one of it. SQL in literals, which `execute` runs, counts. */
function* namedIn(tokens: readonly Token[], elsewhere: Elsewhere): Generator<ReadonlySet<Schema>> {
  for (const name of findNames(tokens)) {
    const [word = '', second] = name.parts
    const found = second === undefined ? kindOf(tokens, name, elsewhere)?.get(word) : undefined
    if (found !== undefined) yield found
  }
  const runs = tokens.some(({ type, value }) => type === 'word' && value === 'execute')
  for (const { type, value } of tokens) {
    if (type === 'string' && runs) yield* namedIn(readTokens(value), elsewhere)
    if (type !== 'sign') continue
    for (const operator of operatorsIn(value)) {
      const found = elsewhere.operators.get(operator)
      if (found !== undefined) yield found
    }
  }
}

/** What a word may be the name of, by what stands around it. */
function kindOf(
  tokens: readonly Token[],
  { isCalled, before, from, to }: WrittenName,
  { functions, relations, types }: Elsewhere,
): Named | undefined {
  if (beforeTables.has(before) || isSign(tokens[to], '%')) return relations
  if (isCalled) return functions
  if (before === '::' || before === 'as' || before === 'setof') return types
  // `v_user users;`: declared before the first begin.
  const begin = tokens.findIndex(({ type, value }) => type === 'word' && value === 'begin')
  return from < begin ? types : undefined
}

const beforeTables = new Set([
  ...['from', 'join', 'only', 'table', ',', 'into', 'update', 'using', 'truncate'],
])

const known = new WeakMap<Catalog, Elsewhere>()

function elsewhereIn(catalog: Catalog): Elsewhere {
  const before = known.get(catalog)
  if (before !== undefined) return before
  const byOid = ({ name, schema }: { name: string; schema: number }) => ({
    name,
    schema: catalog.schemas.get(schema),
  })
  const found = {
    relations: bySchema(catalog.relations.values()),
    functions: bySchema(catalog.functions.values()),
    types: bySchema([...catalog.types.values()].map(byOid)),
    operators: bySchema([...catalog.operators.values()].map(byOid)),
  }
  known.set(catalog, found)
  return found
}

function bySchema(all: Iterable<{ name: string; schema: Schema | undefined }>): Named {
  const found = new Map<string, Set<Schema>>()
  const own = new Set<string>()
  for (const { name, schema } of all) {
    if (schema === undefined) continue
    if (schema.isOfPostgres) own.add(name)
    const schemas = found.get(name) ?? new Set()
    found.set(name, schemas.add(schema))
  }
  for (const name of own) found.delete(name)
  return found
}
