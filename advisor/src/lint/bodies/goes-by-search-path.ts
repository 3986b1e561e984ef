import type { Catalog } from '../../catalog/catalog.ts'
import { findNames } from '../sql-text/find-names.ts'
import { readTokens } from '../sql-text/read-tokens.ts'
import { operatorsIn } from './tokens-of.ts'

/** By name alone, what is there outside of pg_catalog, and in it. */
interface Elsewhere {
  relations: Set<string>
  functions: Set<string>
  types: Set<string>
  operators: Set<string>
}

const known = new WeakMap<Catalog, Elsewhere>()

/**
 * Whether a query names something without its schema that is not in pg_catalog: then what it means is said by the search
 * path of whoever runs it, which is not that of whoever writes it anew.
 */
export function goesBySearchPath(catalog: Catalog, query: string): boolean {
  const elsewhere = known.get(catalog) ?? findElsewhere(catalog)
  known.set(catalog, elsewhere)
  const tokens = readTokens(query)
  return (
    findNames(tokens).some(({ parts: [name = '', second], isCalled, before }) => {
      if (second !== undefined) return false
      if (isCalled && elsewhere.functions.has(name)) return true
      if (before === '::' || before === 'as') return elsewhere.types.has(name)
      return beforeTables.has(before) && elsewhere.relations.has(name)
    }) ||
    tokens.some(
      ({ type, value }) =>
        type === 'sign' && operatorsIn(value).some((one) => elsewhere.operators.has(one)),
    )
  )
}

const beforeTables = new Set(['from', 'join', 'only', 'table', ','])

function findElsewhere(catalog: Catalog): Elsewhere {
  const ofPostgres = (schema: number) => catalog.schemas.get(schema)?.isOfPostgres === true
  const names = (all: Iterable<{ name: string; isOwn: boolean }>) => {
    const [own, others] = [new Set<string>(), new Set<string>()]
    for (const { name, isOwn } of all) (isOwn ? own : others).add(name)
    return new Set([...others].filter((name) => !own.has(name)))
  }
  const bySchema = ({ name, schema }: { name: string; schema: { isOfPostgres: boolean } }) => ({
    ...{ name, isOwn: schema.isOfPostgres },
  })
  const byOid = ({ name, schema }: { name: string; schema: number }) => ({
    ...{ name, isOwn: ofPostgres(schema) },
  })
  return {
    relations: names([...catalog.relations.values()].map(bySchema)),
    functions: names([...catalog.functions.values()].map(bySchema)),
    types: names([...catalog.types.values()].map(byOid)),
    operators: names([...catalog.operators.values()].map(byOid)),
  }
}
