import type { Catalog, Relation } from '../../catalog/catalog.ts'

const known = new WeakMap<Catalog, Map<number, Relation[]>>()

/** The partitions of a table, and what inherits from it. */
export function partitionsOf(catalog: Catalog, { oid }: Relation): Relation[] {
  let children = known.get(catalog)
  if (children === undefined) {
    children = new Map()
    for (const relation of catalog.relations.values())
      for (const parent of relation.parents) {
        const siblings = children.get(parent) ?? []
        siblings.push(relation)
        children.set(parent, siblings)
      }
    known.set(catalog, children)
  }
  return children.get(oid) ?? []
}
