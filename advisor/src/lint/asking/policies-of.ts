import type { Catalog, Policy } from '../../catalog/catalog.ts'

/** The policies that are asked about: of the tables that are, and of a platform's, where people write them. */
export const policiesOf = ({ relations }: Catalog): Policy[] =>
  [...relations.values()].flatMap(({ arePoliciesAsked, policies }) =>
    arePoliciesAsked ? policies : [],
  )
