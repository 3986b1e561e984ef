import type { Catalog, Relation } from '../catalog/catalog.ts'
import { mayOnRelation } from './privileges.ts'
import type { Standing } from './standing.ts'
import type { Trouble } from './statement/trouble.ts'

/** By table: the tables that refer to it, and those that inherit from it or are its partitions. */
export interface References {
  referring: ReadonlyMap<number, ReadonlySet<number>>
  children: ReadonlyMap<number, ReadonlySet<number>>
}

export function referencesTo({ relations }: Catalog): References {
  const referring = new Map<number, Set<number>>()
  const children = new Map<number, Set<number>>()
  const add = (to: Map<number, Set<number>>, key: number, oid: number) =>
    to.set(key, (to.get(key) ?? new Set()).add(oid))
  for (const { oid, constraints, parents } of relations.values()) {
    for (const { refers } of constraints) if (refers !== null) add(referring, refers.relation, oid)
    for (const parent of parents) add(children, parent, oid)
  }
  return { referring, children }
}

/** Whoever truncates a table that others refer to truncates those too, with `cascade`, and has to be allowed to. */
export function findTruncateTrouble(
  { relations }: Catalog,
  { referring, children }: References,
  table: Relation,
  role: Standing,
): Trouble | null {
  const reached = new Set([table.oid])
  const asked = new Set([table.oid])
  for (const oid of reached) {
    for (const child of children.get(oid) ?? []) reached.add(child)
    for (const other of referring.get(oid) ?? []) {
      asked.add(other)
      reached.add(other)
    }
  }
  for (const oid of asked) {
    const other = relations.get(oid)
    if (other !== undefined && !mayOnRelation(role, other, 'truncate'))
      return {
        stage: 'relation',
        reason: `permission denied for table ${other.name}, which refers to it`,
      }
  }
  return null
}
