import type { Catalog, Policy } from '../../catalog/catalog.ts'

/** The policies of the tables that are asked about. */
export const policiesOf = ({ relations }: Catalog): Policy[] =>
  [...relations.values()].flatMap(({ isAsked, policies }) => (isAsked ? policies : []))
