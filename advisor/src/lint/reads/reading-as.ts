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
export const tablesReadAs = (
  catalog: Catalog,
  relation: Relation | undefined,
  role: number,
  isInFunction: boolean,
): readonly ReadAs[] =>
  relation === undefined
    ? []
    : remembered(catalog, `relation ${relation.oid} ${role} ${isInFunction}`, (walk) =>
        walk.relation(relation, role, isInFunction),
      )

/** The tables that a function reads when a role calls it, and what it calls in turn. */
export const tablesCalledAs = (catalog: Catalog, oid: number, role: number): readonly ReadAs[] =>
  remembered(catalog, `function ${oid} ${role}`, (walk) => walk.call(oid, role))

const known = new WeakMap<Catalog, Map<string, readonly ReadAs[]>>()

function remembered(catalog: Catalog, key: string, go: (walk: Walk) => void): readonly ReadAs[] {
  const ofCatalog = known.get(catalog) ?? new Map<string, readonly ReadAs[]>()
  known.set(catalog, ofCatalog)
  const before = ofCatalog.get(key)
  if (before !== undefined) return before
  const walk = new Walk(catalog)
  go(walk)
  ofCatalog.set(key, walk.found)
  return walk.found
}

/** Comes to each view and function once for each role: of the ways there, there are more than anybody can walk. */
class Walk {
  readonly found: ReadAs[] = []
  readonly #catalog: Catalog
  readonly #visited = new Set<string>()

  constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  relation(relation: Relation | undefined, role: number, isInFunction: boolean): void {
    if (relation === undefined || this.#isSecond(`r ${relation.oid} ${role} ${isInFunction}`))
      return
    if (relation.kind !== 'v') {
      this.found.push({ relation, role, isInFunction })
      return
    }
    const reader = relation.options.securityInvoker ? role : relation.owner
    const query = relation.rules.find(({ event }) => event === 'select')
    if (query === undefined) return
    const { relations, functions } = readsIn(query.action.tree)
    for (const oid of relations.keys())
      this.relation(this.#catalog.relations.get(oid), reader, isInFunction)
    // A view calls functions as whoever asks it.
    for (const oid of functions) this.call(oid, role)
  }

  call(oid: number, role: number): void {
    const routine = this.#catalog.functions.get(oid)
    if (routine === undefined || routine.schema.isOfPostgres) return
    const caller = routine.isSecurityDefiner ? routine.owner : role
    if (this.#isSecond(`f ${oid} ${caller}`)) return
    const { relations, functions } = namedIn(this.#catalog, routine)
    for (const relation of relations) this.relation(relation, caller, true)
    for (const called of functions) this.call(called, caller)
  }

  #isSecond(key: string): boolean {
    if (this.#visited.has(key)) return true
    this.#visited.add(key)
    return false
  }
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
