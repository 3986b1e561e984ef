import type {} from 'graphile-build'
import type {} from 'graphile-build-pg'
import type { Catalog } from '../catalog/catalog.ts'
import type { Touchable } from '../catalog/read-touchable.ts'
import type { SchemaProblem } from '../catalog/schema-problem.ts'
import { openTags } from '../catalog/tags.ts'
import { listNamed, type Named } from './list-named.ts'
import { nameColumnsApart } from './name-columns-apart.ts'
import { nameEnumsApart } from './name-enums-apart.ts'
import { type Claim, takenNames } from './taken-names.ts'

/**
 * Gives names, as `@name` does, to what would be called as something else is. Whoever comes first keeps the name:
 * GraphQL's own, Pie's (but for its profiles, which come last), what has an `@name` already, then the schemas in the order in which they are set; in each of
 * them tables, types, functions. The others get the name of their schema before theirs.
 * @param schemas in that order, Pie's among them
 */
export function nameApart(
  catalog: Catalog,
  inflection: GraphileBuild.Inflection,
  touchable: Touchable,
  schemas: readonly string[],
): SchemaProblem[] {
  const tags = openTags(catalog)
  const taken = takenNames()
  const problems: SchemaProblem[] = []
  for (const named of listNamed(catalog, inflection, touchable, schemas, tags)) {
    const { first, other } = claim(named, taken)
    if (first === named.name) continue
    tags.setName(named.place, first)
    const wanted = other?.claim.replace(/^\w+:/, '') ?? named.name
    problems.push({
      kind: 'renamed',
      object: named.object,
      other: other?.holder ?? null,
      what: `would be ${wanted}, as ${other?.holder} is: it is shown as ${named.shownAs(first)}`,
      mend:
        `to name it yourself: comment on ${named.object} is ` +
        `${quote(tags.commentWith(named.place, first))}`,
    })
  }
  return [
    ...problems,
    ...nameEnumsApart(catalog, inflection, taken),
    ...nameColumnsApart(catalog, inflection, tags),
  ]
}

const MOST_TRIES = 1_000

function claim(
  named: Named,
  taken: Map<Claim, string>,
): { first: string; other: { claim: Claim; holder: string } | null } {
  let other: { claim: Claim; holder: string } | null = null
  for (let count = 0; count < MOST_TRIES; count++) {
    const first = [named.name, named.prefixed][count] ?? `${named.prefixed}_${count}`
    const claims = named.claims(first)
    const lost = claims.find((one) => taken.has(one))
    if (lost === undefined) {
      for (const one of claims) taken.set(one, named.object)
      return { first, other }
    }
    other ??= { claim: lost, holder: taken.get(lost) ?? '' }
  }
  throw new Error(`no name is left for ${named.object}`)
}

/** As Postgres reads it. */
export const quote = (text: string): string =>
  text.includes('\n')
    ? `e'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\n', '\\n')}'`
    : `'${text.replaceAll("'", "''")}'`
