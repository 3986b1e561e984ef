import type {} from 'graphile-build'
import type {} from 'graphile-build-pg'
import type { Catalog } from '../catalog/catalog.ts'
import { quoteName } from '../catalog/quote-name.ts'
import type { SchemaProblem } from '../catalog/schema-problem.ts'
import { joinTags, splitTags } from '../catalog/tag-lines.ts'
import { legalName } from './legal-name.ts'
import type { Claim } from './taken-names.ts'

/** Gives other names to enums that comments make of rows, where `@enumName` is the name of another type, or none in GraphQL. */
export function nameEnumsApart(
  catalog: Catalog,
  inflection: GraphileBuild.Inflection,
  taken: Map<Claim, string>,
): SchemaProblem[] {
  const schemaOf = new Map(catalog.namespaces.map(({ _id, nspname }) => [_id, nspname]))
  const classes = new Map(catalog.classes.map((one) => [one._id, one]))
  const constraints = new Map(catalog.constraints.map((one) => [one._id, one]))
  return catalog.descriptions.flatMap((one): SchemaProblem[] => {
    const of = catalog.catalog_by_oid[one.classoid]
    const { tags, rest } = splitTags(one.description)
    const given = tags.find(({ tag }) => tag === 'enumName')?.value
    if (given == null || one.objsubid !== 0) return []
    const constraint = of === 'pg_constraint' ? constraints.get(one.objoid) : undefined
    const table = classes.get(of === 'pg_class' ? one.objoid : (constraint?.conrelid ?? ''))
    if (table === undefined) return []
    const schema = schemaOf.get(table.relnamespace) ?? ''
    const name = `${quoteName(schema)}.${quoteName(table.relname)}`
    const object =
      constraint === undefined
        ? `table ${name}`
        : `constraint ${quoteName(constraint.conname)} on ${name}`
    const claimsOf = (wanted: string): Claim[] => [
      `type:${inflection.upperCamelCase(wanted)}`,
      `codec:${inflection.upperCamelCase(`${wanted}-enum`)}`,
    ]
    const holderOf = (wanted: string) =>
      claimsOf(wanted)
        .map((claim) => taken.get(claim))
        .find((holder) => holder !== undefined && holder !== object)
    const legal = legalName(given.trim())
    const prefixed = legalName(`${inflection.upperCamelCase(schema)}${legal}`)
    let chosen = legal
    for (let count = 1; holderOf(chosen) !== undefined; count++)
      chosen = count === 1 ? prefixed : `${prefixed}${count}`
    for (const claim of claimsOf(chosen)) taken.set(claim, object)
    if (chosen === given) return []
    const kept = tags.filter(({ tag }) => tag !== 'enumName')
    one.description = joinTags([...kept, { line: `@enumName ${chosen}` }], rest)
    const other = holderOf(legal) ?? null
    const why = other === null ? 'which is no name in GraphQL' : `as ${other} is`
    return [
      {
        kind: 'renamed',
        object,
        other,
        what: `would be an enum ${given.trim()}, ${why}: it is shown as ${chosen}`,
        mend: 'give it another name in its comment, with @enumName',
      },
    ]
  })
}
