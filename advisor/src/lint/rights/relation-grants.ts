import type { Privilege } from '../../catalog/acl.ts'
import type { Catalog, Column, Relation } from '../../catalog/catalog.ts'
import { kindsInWords } from '../../catalog/kinds-in-words.ts'

/** A right on a table, view or sequence, or on a column of one, that somebody but its owner has. */
export interface RelationGrant {
  relation: Relation
  /** null for all of it. */
  column: Column | null
  /** 0 for PUBLIC. */
  grantee: number
  privilege: Privilege
  isGrantable: boolean
}

const known = new WeakMap<Relation, RelationGrant[]>()

export function grantsOn(relation: Relation): readonly RelationGrant[] {
  const found = known.get(relation) ?? findGrants(relation)
  known.set(relation, found)
  return found
}

function findGrants(relation: Relation): RelationGrant[] {
  const grants = (column: Column | null) =>
    (column ?? relation).acl
      .filter(({ grantee }) => grantee !== relation.owner)
      .map((item) => ({ relation, column, ...item }))
  return [...grants(null), ...relation.columns.flatMap(grants)]
}

/** Of everything that is asked about. */
export const allGrants = (catalog: Catalog): RelationGrant[] =>
  askedRelations(catalog).flatMap(grantsOn)

export const askedRelations = ({ relations }: Catalog): Relation[] =>
  [...relations.values()].filter(({ isAsked }) => isAsked)

/** Grants of the same relation to the same role, together. */
export function byGrantee(grants: readonly RelationGrant[]): RelationGrant[][] {
  const found: RelationGrant[][] = []
  for (const same of Map.groupBy(grants, ({ relation }) => relation).values())
    found.push(...Map.groupBy(same, ({ grantee }) => grantee).values())
  return found
}

/** As `comment on` calls it: `materialized view app.counts`. */
export const relationInWords = ({ kind, sql }: Relation): string => `${kindsInWords[kind]} ${sql}`

/** As `grant … on` calls it. */
export const grantable = ({ kind, sql }: Relation): string =>
  kind === 'S' ? `sequence ${sql}` : sql

/** A role as SQL names it. */
export const roleIn = ({ roles }: Pick<Catalog, 'roles'>, oid: number): string =>
  oid === 0 ? 'public' : (roles.get(oid)?.sql ?? String(oid))

export const grantInWords = (catalog: Catalog, relation: Relation, grantee: number): string =>
  `grant to ${roleIn(catalog, grantee)} on ${relationInWords(relation)}`
