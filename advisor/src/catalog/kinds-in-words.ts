import type { RelationKind } from './catalog.ts'

/** As Postgres and SQL call what a relation is. */
export const kindsInWords: Readonly<Record<RelationKind, string>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
  S: 'sequence',
}
