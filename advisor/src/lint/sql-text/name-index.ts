import type { Catalog, Relation, Routine } from '../../catalog/catalog.ts'

/** What a name in a body may stand for. */
export interface NameIndex {
  /** @param path the schemas to look in for a name without one; null for every one, where only one has such a name */
  findRelation(parts: readonly string[], path: readonly string[] | null): Relation | undefined
  /** Those of Postgres' own are found too. @param path null for every schema */
  findRoutines(parts: readonly string[], path: readonly string[] | null): Routine[]
}

interface Named {
  name: string
  schema: { name: string; isAsked: boolean }
}

const known = new WeakMap<Catalog, NameIndex>()

export function nameIndexOf(catalog: Catalog): NameIndex {
  const index = known.get(catalog) ?? makeIndex(catalog)
  known.set(catalog, index)
  return index
}

function makeIndex({ relations, functions }: Catalog): NameIndex {
  const relationsByName = byName(relations.values())
  const routinesByName = byName(functions.values())
  return {
    findRelation: (parts, path) => {
      const [first = '', second] = parts
      if (second !== undefined) {
        const found = within(relationsByName.get(second), first)[0]
        if (found !== undefined) return found
      }
      if (parts.length > 1) return undefined
      const all = relationsByName.get(first) ?? []
      return path === null ? (all.length === 1 ? all[0] : undefined) : onPath(all, path)[0]
    },
    findRoutines: (parts, path) => {
      const name = parts.at(-1) ?? ''
      const all = routinesByName.get(name) ?? []
      if (parts.length > 1) return within(all, parts.at(-2) ?? '')
      const own = within(all, 'pg_catalog')
      if (own.length > 0) return own
      return path === null ? all : onPath(all, path)
    },
  }
}

function byName<Item extends Named>(items: Iterable<Item>): Map<string, Item[]> {
  const found = new Map<string, Item[]>()
  for (const item of items) {
    const list = found.get(item.name)
    if (list === undefined) found.set(item.name, [item])
    else list.push(item)
  }
  return found
}

const within = <Item extends Named>(items: readonly Item[] = [], schema: string): Item[] =>
  items.filter((item) => item.schema.name === schema)

const onPath = <Item extends Named>(items: readonly Item[], path: readonly string[]): Item[] => {
  const schema = path.find((name) => items.some((item) => item.schema.name === name))
  return schema === undefined ? [] : within(items, schema)
}
