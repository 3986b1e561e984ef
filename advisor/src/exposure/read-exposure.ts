import pg from 'pg'
import { rollBack } from '../database/roll-back.ts'
import { withPlainSearchPath } from '../database/with-plain-search-path.ts'
import { AdvisorError } from '../errors.ts'
import { listRequestRoles } from '../list-request-roles.ts'
import {
  type Access,
  actions,
  type ExposedRelation,
  type Exposure,
  everybody,
  type RelationKind,
} from './exposure.ts'
import type { PrivilegeRow, RelationRow } from './queries.ts'
import { type Catalog, readCatalog } from './read-catalog.ts'
import { rowsOf } from './rows-of.ts'
import { type TakenRole, takeRoles } from './take-roles.ts'
import { type Tried, tryColumns, tryDelete } from './try-action.ts'

export interface ExposureOptions {
  /** Null for every schema that is not Postgres' own. */
  schemas: readonly string[] | null
  /** Null for those that requests may arrive as, and what everybody has. */
  roles: readonly string[] | null
}

/**
 * Reads from the live catalog what database roles can do, and has Postgres confirm each bit of it.
 * Nothing is changed, and nothing is run.
 *
 * @throws AdvisorError for a schema or role that is not there, or that the owner may not act as
 */
export function readExposure(
  owner: pg.Client,
  { schemas, roles: named }: ExposureOptions,
): Promise<Exposure> {
  return rollBack(owner, async () => {
    const names = named ?? [...(await listRequestRoles(owner)), everybody]
    const roles = await takeRoles(owner, names)
    const catalog = await withPlainSearchPath(owner, () => readCatalog(owner, schemas, roles))
    for (const name of schemas ?? []) {
      if (!catalog.schemas.some((schema) => schema.name === name))
        throw new AdvisorError(`There is no schema ${name}.`)
    }
    const namesOf = (oids: readonly number[]) =>
      roles.filter(({ oid }) => oids.includes(oid)).map(({ name }) => name)
    return {
      roles: roles.map(({ oid, takenAs, ...role }) => role),
      schemas: catalog.schemas.map(({ oid, name }) => ({
        name,
        usable_by: namesOf(
          catalog.usage.filter(({ schema }) => schema === oid).map(({ role }) => role),
        ),
      })),
      relations: await readRelationsOf(owner, catalog, roles),
      functions: catalog.functions.map(({ schema_name, roles: oids, ...shown }) => ({
        schema: schema_name,
        ...shown,
        executable_by: namesOf(oids),
      })),
    }
  })
}

const kinds: Record<RelationRow['kind'], RelationKind> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
}

async function readRelationsOf(
  owner: pg.Client,
  catalog: Catalog,
  roles: readonly TakenRole[],
): Promise<ExposedRelation[]> {
  await owner.query('set local transaction_read_only = on')
  const access = new Map<number, Access[]>(catalog.listed.map(({ oid }) => [oid, []]))
  for (const { oid: role, name, takenAs } of roles) {
    await owner.query(`set local role ${pg.escapeIdentifier(takenAs)}`)
    for (const privilege of catalog.privileges.filter((granted) => granted.role === role)) {
      const relation = catalog.relations.get(privilege.relation) as RelationRow
      const tried = await tryPrivilege(owner, relation, privilege)
      const rows = rowsOf(catalog, relation, role, privilege.action)
      access.get(relation.oid)?.push({ role: name, action: privilege.action, ...tried, rows })
    }
    await owner.query('reset role')
  }
  // A partition that nobody can name is a part of its table; it may be gone next month.
  const shown = catalog.listed.filter(
    ({ oid, is_partition }) => !is_partition || access.get(oid)?.length !== 0,
  )
  return shown.map((relation) => ({
    schema: relation.schema_name,
    name: relation.name,
    kind: kinds[relation.kind],
    columns: relation.columns.map(({ name }) => name),
    row_security: rowSecurityOf(relation),
    access: (access.get(relation.oid) ?? []).sort(
      (a, b) =>
        roles.findIndex(({ name }) => name === a.role) -
          roles.findIndex(({ name }) => name === b.role) ||
        actions.indexOf(a.action) - actions.indexOf(b.action),
    ),
  }))
}

function rowSecurityOf({
  kind,
  row_security,
  forced,
}: RelationRow): ExposedRelation['row_security'] {
  if (kind !== 'r' && kind !== 'p') return null
  if (!row_security) return 'off'
  return forced ? 'forced' : 'on'
}

async function tryPrivilege(
  client: pg.Client,
  { schema_name, name, columns }: RelationRow,
  { action, columns: granted }: PrivilegeRow,
): Promise<Tried> {
  const relation = `${pg.escapeIdentifier(schema_name)}.${pg.escapeIdentifier(name)}`
  if (action === 'truncate') return { allowed: true, columns: [], refused: [] }
  if (action === 'delete') return tryDelete(client, relation)
  const written = columns.filter(
    ({ number, is_insertable, is_updatable }) =>
      (granted ?? []).includes(number) &&
      (action !== 'insert' || is_insertable) &&
      (action !== 'update' || is_updatable),
  )
  return tryColumns(
    client,
    relation,
    action,
    written.map((column) => column.name),
  )
}
