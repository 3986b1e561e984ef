import type { Catalog, Relation } from '../../catalog/catalog.ts'
import type { Publication } from '../../catalog/detours.ts'
import type { Rule } from '../rule.ts'

export const publicationPastPolicies: Rule = {
  name: 'publication-past-policies',
  weight: 'leak',
  why:
    'Whoever subscribes to a publication gets every row that is written, whatever the policies say: they hold for queries, and ' +
    'not for replication.',
  find: (catalog, { heldPublications }) =>
    catalog.detours.publications
      .filter(({ name }) => !heldPublications.includes(name))
      .flatMap((publication) => {
        const tables = tablesOf(catalog, publication)
        const [first] = tables
        if (first === undefined) return []
        const more = tables.length > 1 ? ` and ${tables.length - 1} more` : ''
        const all = publication.ofAllTables ? 'it has every table, those to come too: ' : ''
        return [
          {
            object: `publication ${publication.sql}`,
            detail: `${all}${first.sql}${more}, whose rows policies choose`,
            mend: mendFor(catalog, publication, tables),
          },
        ]
      }),
}

/** Those with policies that it has whole. One that says which rows has been thought about. */
function tablesOf(catalog: Catalog, publication: Publication): Relation[] {
  const named = new Set(
    publication.tables.filter(({ hasRowFilter }) => !hasRowFilter).map(({ relation }) => relation),
  )
  return [...catalog.relations.values()].filter(
    ({ oid, schema, rowSecurity, isAsked, kind }) =>
      isAsked &&
      rowSecurity &&
      (kind === 'r' || kind === 'p') &&
      (publication.ofAllTables || named.has(oid) || publication.schemas.includes(schema.oid)),
  )
}

/** Of one that has all tables, or a schema's, no table can be taken out. */
function mendFor(
  { schemas }: Catalog,
  publication: Publication,
  tables: readonly Relation[],
): string {
  const { sql, ofAllTables } = publication
  if (ofAllTables)
    return `-- and name the tables that others may have: create publication ${sql} for table …;\ndrop publication ${sql};`
  const whole = publication.schemas.filter((oid) => tables.some(({ schema }) => schema.oid === oid))
  const named = new Set(publication.tables.map(({ relation }) => relation))
  return [
    ...whole.map(
      (oid) => `alter publication ${sql} drop tables in schema ${schemas.get(oid)?.sql};`,
    ),
    ...tables
      .filter(({ oid }) => named.has(oid))
      .map((table) => `alter publication ${sql} drop table ${table.sql};`),
  ].join('\n')
}
