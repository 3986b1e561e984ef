import type { Catalog, Routine } from '../../catalog/catalog.ts'
import { usesOf } from './calls-in-tree.ts'
import { isSign, tokensOf } from './tokens-of.ts'

const known = new WeakMap<Catalog, Set<number>>()

/**
 * The functions that policies call, by name or through an operator, in a sub-select or not, and what those call
 * in turn. Of a body that is a text, calls are what names another function with its schema, and only one that
 * shares its name with no other.
 */
export function findPolicyHelpers(catalog: Catalog): Set<number> {
  let helpers = known.get(catalog)
  if (helpers !== undefined) return helpers
  helpers = new Set()
  for (const { policies } of catalog.relations.values())
    for (const { using, check } of policies)
      for (const expression of [using, check])
        if (expression !== null)
          for (const oid of usesOf(catalog, expression.tree).functions) helpers.add(oid)
  for (const oid of helpers) {
    const routine = catalog.functions.get(oid)
    if (routine !== undefined && !routine.schema.isOfPostgres)
      for (const called of calledBy(catalog, routine)) helpers.add(called)
  }
  known.set(catalog, helpers)
  return helpers
}

/** What a function surely calls. */
export function calledBy(catalog: Catalog, routine: Routine): Iterable<number> {
  if (routine.sqlBody !== null) return usesOf(catalog, routine.sqlBody.tree).functions
  const tokens = tokensOf(routine)
  return tokens.flatMap((token, place) => {
    if (!isSign(token, '(') || !isSign(tokens[place - 2], '.')) return []
    const named = `${tokens[place - 3]?.value}.${tokens[place - 1]?.value}`
    const [only, another] = byName(catalog).get(named) ?? []
    return only === undefined || another !== undefined ? [] : [only.oid]
  })
}

const knownNames = new WeakMap<Catalog, Map<string, Routine[]>>()

/** By schema and name, without what is Postgres' own. */
function byName(catalog: Catalog): Map<string, Routine[]> {
  let names = knownNames.get(catalog)
  if (names === undefined) {
    const others = [...catalog.functions.values()].filter(({ schema }) => !schema.isOfPostgres)
    names = Map.groupBy(others, ({ schema, name }) => `${schema.name}.${name}`)
    knownNames.set(catalog, names)
  }
  return names
}
