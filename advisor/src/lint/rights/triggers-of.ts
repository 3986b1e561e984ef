import type { Catalog, Relation, Trigger } from '../../catalog/catalog.ts'

export interface Fired {
  relation: Relation
  trigger: Trigger
}

const known = new WeakMap<Catalog, Map<number, Fired[]>>()

/** The triggers that call a function, but for those that are disabled. */
export function triggersOf(catalog: Catalog, functionOid: number): readonly Fired[] {
  const index = known.get(catalog) ?? indexOf(catalog)
  known.set(catalog, index)
  return index.get(functionOid) ?? []
}

function indexOf({ relations }: Catalog): Map<number, Fired[]> {
  const index = new Map<number, Fired[]>()
  for (const relation of relations.values())
    for (const trigger of relation.triggers) {
      if (!trigger.isEnabled) continue
      const fired = index.get(trigger.function) ?? []
      fired.push({ relation, trigger })
      index.set(trigger.function, fired)
    }
  return index
}
