import type { AclItem } from '../../catalog/acl.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import {
  allGrants,
  askedRelations,
  grantInWords,
  relationInWords,
  roleIn,
} from '../rights/relation-grants.ts'
import { isSqlOfAnApi } from '../rights/sql-of-an-api.ts'
import type { Fault, Rule } from '../rule.ts'

/** A schema, relation or function: what `alter … owner to` calls it. */
interface Owned {
  object: string
  owner: number
  schemaOwner: number
}

/** The sequence of a column belongs to whoever the table does. */
function* ownedIn(catalog: Catalog): Generator<Owned> {
  for (const { sql, owner } of askedSchemas(catalog))
    yield { object: `schema ${sql}`, owner, schemaOwner: owner }
  for (const relation of askedRelations(catalog))
    if (relation.ownedBy === null)
      yield {
        object: relationInWords(relation),
        owner: relation.owner,
        schemaOwner: relation.schema.owner,
      }
  for (const { isAsked, kind, sql, owner, schema } of catalog.functions.values())
    if (isAsked)
      yield {
        object: `${kind === 'window function' ? 'function' : kind} ${sql}`,
        owner,
        schemaOwner: schema.owner,
      }
}

/** Those that are asked about and hold something. */
function askedSchemas({ schemas, relations, functions }: Catalog) {
  const held = new Set(
    [...relations.values(), ...functions.values()]
      .filter(({ isAsked }) => isAsked)
      .map(({ schema }) => schema.oid),
  )
  return [...schemas.values()].filter(({ oid, isAsked }) => isAsked && held.has(oid))
}

export const ownedByRoleOfRequests: Rule = {
  name: 'owned-by-role-of-requests',
  weight: 'hole',
  why:
    'An owner may change what is theirs, switch its row-level security off and grant it: SQL injected ' +
    'into a request could do that.',
  find: (catalog) =>
    [...ownedIn(catalog)]
      .filter(({ owner }) => catalog.requestRoles.has(owner))
      .map(({ object, schemaOwner }) => ({
        object,
        mend: `alter ${object} owner to ${properOwner(catalog, schemaOwner)};`,
      })),
}

/** The owner of the schema where that is no role of requests, else whoever runs the mend. */
const properOwner = (catalog: Catalog, schemaOwner: number): string =>
  catalog.requestRoles.has(schemaOwner) ? 'current_user' : roleIn(catalog, schemaOwner)

export const schemaOpenToRoleOfRequests: Rule = {
  name: 'schema-open-to-role-of-requests',
  weight: 'hole',
  why:
    'Whoever may make things in a schema can put a function or a table where others look for theirs, ' +
    'and so run code with their rights (CVE-2018-1058).',
  find: (catalog) =>
    [...catalog.schemas.values()]
      .filter(({ isAsked }) => isAsked)
      .flatMap((schema) =>
        createdIn(catalog, schema).map(({ grantee }) => ({
          object: `grant to ${roleIn(catalog, grantee)} on schema ${schema.sql}`,
          mend: `revoke create on schema ${schema.sql} from ${roleIn(catalog, grantee)};`,
        })),
      ),
}

const createdIn = (
  { requestRoles }: Catalog,
  { acl, owner }: { acl: readonly AclItem[]; owner: number },
): AclItem[] =>
  acl.filter(
    ({ privilege, grantee }) =>
      privilege === 'create' && grantee !== owner && (grantee === 0 || requestRoles.has(grantee)),
  )

export const triggerGranted: Rule = {
  name: 'trigger-granted',
  weight: 'hole',
  why:
    'Whoever may put a trigger on a table runs code of their own with the rights of everybody who ' +
    'writes to it.',
  find: (catalog, names) =>
    allGrants(catalog)
      .filter(
        ({ privilege, grantee }) => privilege === 'trigger' && catalog.requestRoles.has(grantee),
      )
      .map(
        ({ relation, grantee }): Fault => ({
          object: grantInWords(catalog, relation, grantee),
          ...(isSqlOfAnApi(names) ? { weight: 'style' } : {}),
          mend: `revoke trigger on ${relation.sql} from ${roleIn(catalog, grantee)};`,
        }),
      ),
}
