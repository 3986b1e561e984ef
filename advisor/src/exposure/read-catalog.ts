import type pg from 'pg'
import {
  type FunctionRow,
  type PolicyRow,
  type PrivilegeRow,
  type RelationRow,
  type RoleRow,
  readFunctions,
  readOwnership,
  readPolicies,
  readPrivileges,
  readRelations,
  readRoles,
  readSchemas,
  readUsage,
  readViewSources,
} from './queries.ts'

/** The catalog, as far as an exposure map needs it. */
export interface Catalog {
  schemas: { oid: number; name: string }[]
  usage: { schema: number; role: number }[]
  /** Every relation, by oid. */
  relations: Map<number, RelationRow>
  /** Those that are asked about. */
  listed: RelationRow[]
  privileges: PrivilegeRow[]
  policies: PolicyRow[]
  /** What each view reads by itself. */
  sources: Map<number, number[]>
  /** Every role that something is read as. */
  roles: Map<number, RoleRow>
  /** Whether a role has the rights of an owner. */
  isOwner(role: number, owner: number): boolean
  functions: FunctionRow[]
}

/** @param asked the roles that are asked about, in order */
export async function readCatalog(
  owner: pg.ClientBase,
  schemaNames: readonly string[] | null,
  asked: readonly RoleRow[],
): Promise<Catalog> {
  const read = async <Row>(sql: string, ...values: unknown[]) =>
    (await owner.query(sql, values)).rows as Row[]
  const schemas = await read<{ oid: number; name: string }>(readSchemas, schemaNames)
  const schemaOids = schemas.map(({ oid }) => oid)
  const askedOids = asked.map(({ oid }) => oid)
  const relations = await read<RelationRow>(readRelations, schemaOids)
  const listed = relations.filter(
    ({ schema, is_of_extension }) => schemaOids.includes(schema) && !is_of_extension,
  )
  const owners = await read<RoleRow>(readRoles, [
    ...new Set(relations.filter(({ kind }) => kind === 'v').map((view) => view.owner)),
  ])
  const roles = new Map([...owners, ...asked].map((role) => [role.oid, role]))
  const roleOids = [...roles.keys()]
  const ownership = await read<{ role: number; owner: number }>(readOwnership, roleOids)
  const owns = new Set(ownership.map(({ role, owner }) => `${role} ${owner}`))
  const sources = new Map<number, number[]>()
  for (const { view, source } of await read<{ view: number; source: number }>(readViewSources))
    sources.set(view, [...(sources.get(view) ?? []), source])
  return {
    schemas,
    usage: await read(readUsage, schemaOids, askedOids),
    relations: new Map(relations.map((relation) => [relation.oid, relation])),
    listed,
    privileges: await read(
      readPrivileges,
      listed.map(({ oid }) => oid),
      askedOids,
    ),
    policies: await read(readPolicies, roleOids),
    sources,
    roles,
    isOwner: (role, of) => owns.has(`${role} ${of}`),
    functions: await read(readFunctions, schemaOids, askedOids),
  }
}
