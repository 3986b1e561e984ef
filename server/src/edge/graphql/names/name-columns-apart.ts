import type {} from 'graphile-build'
import type {} from 'graphile-build-pg'
import { type Catalog, type CatalogAttribute, isTable } from '../catalog/catalog.ts'
import { quoteName } from '../catalog/quote-name.ts'
import type { SchemaProblem } from '../catalog/schema-problem.ts'
import type { Tags } from '../catalog/tags.ts'
import { legalName } from './legal-name.ts'

/** Fields of each row that are no columns. */
const RESERVED = ['nodeId']

/** In what changes a row these stand beside the columns of its key. */
const RESERVED_BESIDE_KEYS = ['patch', 'clientMutationId']

/** Gives names to columns that would be called as another of their table: it keeps the name that has it as it is written. */
export function nameColumnsApart(
  catalog: Catalog,
  inflection: GraphileBuild.Inflection,
  tags: Tags,
): SchemaProblem[] {
  const schemaOf = new Map(catalog.namespaces.map(({ _id, nspname }) => [_id, nspname]))
  const columns = Map.groupBy(
    catalog.attributes.filter(({ attisdropped, attnum }) => !attisdropped && attnum > 0),
    ({ attrelid }) => attrelid,
  )
  const keys = new Set(
    catalog.constraints
      .filter(({ contype }) => contype === 'p' || contype === 'u')
      .flatMap(({ conrelid, conkey }) => (conkey ?? []).map((number) => `${conrelid} ${number}`)),
  )
  const problems: SchemaProblem[] = []
  for (const { _id, relname, relnamespace, relkind } of catalog.classes) {
    if (!isTable({ relkind }) && relkind !== 'c') continue
    const taken = new Map(RESERVED.map((name) => [name, `GraphQL's own ${name}`]))
    const fieldOf = (name: string) =>
      inflection.attribute({
        attributeName: 'it',
        codec: { attributes: { it: { extensions: { tags: { name } } } } } as never,
      })
    const table = `${quoteName(schemaOf.get(relnamespace) ?? '')}.${quoteName(relname)}`
    const isKept = ({ attname }: CatalogAttribute) =>
      fieldOf(attname) === inflection.camelCase(attname) && /^[a-z0-9_]+$/.test(attname) ? 0 : 1
    for (const column of (columns.get(_id) ?? []).toSorted(
      (one, other) => isKept(one) - isKept(other) || one.attnum - other.attnum,
    )) {
      const { attname, attnum } = column
      const place = { of: 'pg_class', objoid: _id, objsubid: attnum } as const
      const given = tags.nameOf(place) ?? attname
      const isTaken = (name: string) =>
        taken.has(fieldOf(name)) ||
        (keys.has(`${_id} ${attnum}`) && RESERVED_BESIDE_KEYS.includes(fieldOf(name)))
      let name = given
      for (let count = 2; isTaken(name); count++) name = legalName(`${given}_${count}`)
      const object = `column ${table}.${quoteName(attname)}`
      if (name !== given) {
        const other = taken.get(fieldOf(given)) ?? `GraphQL's own ${fieldOf(given)}`
        tags.setName(place, name)
        problems.push({
          kind: 'renamed',
          object,
          other,
          what: `would be ${fieldOf(given)}, as ${other} is: it is shown as ${fieldOf(name)}`,
          mend: `to name it yourself: comment on ${object} is '@name ${name.replaceAll("'", "''")}'`,
        })
      }
      taken.set(fieldOf(name), object)
    }
  }
  return problems
}
