import type { Catalog, CatalogDescription } from './catalog.ts'
import { joinTags, splitTags } from './tag-lines.ts'

type Place = Pick<CatalogDescription, 'objoid' | 'objsubid'> & {
  of: 'pg_class' | 'pg_type' | 'pg_proc'
}

/** Smart tags of a catalog: what its comments say in lines such as `@name note`, before any other. */
export interface Tags {
  /** Undefined where it is not said, or said twice. */
  nameOf(place: Place): string | undefined
  setName(place: Place, name: string): void
  /** The whole comment that says so and keeps what is said besides. */
  commentWith(place: Place, name: string): string
}

/** Reads and writes the comments of this catalog, and not those of the database. */
export function openTags(catalog: Catalog): Tags {
  const oidOf = Object.fromEntries(
    Object.entries(catalog.catalog_by_oid).map(([oid, name]) => [name, oid]),
  )
  const keyOf = (classoid: string, objoid: string, objsubid: number) =>
    `${classoid} ${objoid} ${objsubid}`
  const known = new Map(
    catalog.descriptions.map((one) => [keyOf(one.classoid, one.objoid, one.objsubid), one]),
  )
  const find = ({ of, objoid, objsubid }: Place) =>
    known.get(keyOf(oidOf[of] ?? '', objoid, objsubid))
  const commentWith = (place: Place, name: string): string => {
    const { tags, rest } = splitTags(find(place)?.description ?? '')
    return joinTags([{ line: `@name ${name}` }, ...tags.filter(({ tag }) => tag !== 'name')], rest)
  }
  return {
    nameOf(place) {
      const { tags } = splitTags(find(place)?.description ?? '')
      const [first, ...others] = tags.filter(({ tag }) => tag === 'name')
      return (others.length === 0 && first?.value?.trim()) || undefined
    },
    setName(place, name) {
      const description = commentWith(place, name)
      const found = find(place)
      if (found !== undefined) {
        found.description = description
        return
      }
      const { of, objoid, objsubid } = place
      const made = { objoid, objsubid, classoid: oidOf[of] ?? '', description }
      catalog.descriptions.push(made)
      known.set(keyOf(made.classoid, objoid, objsubid), made)
    },
    commentWith,
  }
}
