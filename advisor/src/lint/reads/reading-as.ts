/** What is read on somebody's behalf, through views and functions: the tables, each with the role whose rights and policies count. */
import type { Catalog, Relation, Routine } from '../../catalog/catalog.ts'
import { reachOf } from '../sql-text/reach-of.ts'
import { readsIn } from './expression-reads.ts'

export interface ReadAs {
  relation: Relation
  role: number
  /** That it is in a statement of its own, which a function runs. */
  isInFunction: boolean
}

/** The tables that a relation is when a role reads it: itself, or those below a view. */
export function tablesReadAs(
  catalog: Catalog,
  relation: Relation | undefined,
  role: number,
  isInFunction: boolean,
  within: ReadonlySet<Relation> = new Set(),
): ReadAs[] {
  if (relation === undefined || within.has(relation)) return []
  if (relation.kind !== 'v') return [{ relation, role, isInFunction }]
  const reader = relation.options.securityInvoker ? role : relation.owner
  const query = relation.rules.find(({ event }) => event === 'select')
  if (query === undefined) return []
  const { relations, functions } = readsIn(query.action.tree)
  const here = new Set([...within, relation])
  return [
    ...[...relations.keys()].flatMap((oid) =>
      tablesReadAs(catalog, catalog.relations.get(oid), reader, isInFunction, here),
    ),
    // A view calls functions as whoever asks it.
    ...[...functions].flatMap((oid) => tablesCalledAs(catalog, oid, role)),
  ]
}

/** The tables that a function reads when a role calls it, and what it calls in turn. */
export function tablesCalledAs(
  catalog: Catalog,
  oid: number,
  role: number,
  within: ReadonlySet<Routine> = new Set(),
): ReadAs[] {
  const routine = catalog.functions.get(oid)
  if (routine === undefined || routine.schema.isOfPostgres || within.has(routine)) return []
  const caller = routine.isSecurityDefiner ? routine.owner : role
  const here = new Set([...within, routine])
  const { relations, functions } = namedIn(catalog, routine)
  return [
    ...relations.flatMap((relation) => tablesReadAs(catalog, relation, caller, true)),
    ...functions.flatMap((called) => tablesCalledAs(catalog, called, caller, here)),
  ]
}

/** What the body of a function names, as a tree or as a text. */
export function namedIn(
  catalog: Catalog,
  routine: Routine,
): { relations: Relation[]; functions: number[] } {
  if (routine.sqlBody !== null) {
    const { relations, functions } = readsIn(routine.sqlBody.tree)
    return {
      relations: [...relations.keys()].flatMap((oid) => catalog.relations.get(oid) ?? []),
      functions: [...functions],
    }
  }
  const { relations, routines } = reachOf(catalog, routine)
  return {
    // As this catalog has them: what a body names is found once, also for one that only supposes something.
    relations: relations.map(({ relation }) => catalog.relations.get(relation.oid) ?? relation),
    functions: routines.map(({ oid }) => oid),
  }
}
