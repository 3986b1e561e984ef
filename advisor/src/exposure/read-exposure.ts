import type pg from 'pg'
import type { Catalog } from '../catalog/catalog.ts'
import { listCut } from '../catalog/list-cut.ts'
import { readCatalog } from '../catalog/read-catalog.ts'
import { inReadOnly } from '../database/in-read-only.ts'
import { AdvisorError } from '../errors.ts'
import { listRequestRoles } from '../list-request-roles.ts'
import { listSchemas } from '../list-schemas.ts'
import { exposeAbove } from './expose-above.ts'
import { exposeFunctions } from './expose-functions.ts'
import { exposeParameters } from './expose-parameters.ts'
import { exposeRelations } from './expose-relations.ts'
import { exposeRoles } from './expose-roles.ts'
import { exposeSequences } from './expose-sequences.ts'
import { exposeDefaults, exposeLargeObjects } from './expose-to-come.ts'
import { type Exposure, everybody } from './exposure.ts'
import { mayCreateIn, mayUse } from './privileges.ts'
import { type Particulars, readParticulars } from './read-particulars.ts'
import { type Standing, standingsOf } from './standing.ts'
import type { Known } from './statement/judge.ts'
import { wordsThatDecide } from './words-that-decide.ts'

export interface ExposureOptions {
  /** Null for every schema that is not Postgres' own. */
  schemas: readonly string[] | null
  /** Null for those that requests may arrive as, and what everybody has. */
  roles: readonly string[] | null
  /** Where none are named: those that are usually shown, and null for those that requests may arrive as. */
  usualRoles?: readonly string[] | null
  /** Besides them. */
  alsoRoles?: readonly string[]
  /** Of somebody else's: not shown unless they are named. */
  othersSchemas?: readonly string[]
}

/**
 * Reads the catalog, and says what database roles can do. It only reads, needs no rights, and becomes nobody.
 *
 * @param missing what becomes of schemas and roles that are asked about and not there
 * @throws AdvisorError for a schema or role that is not there
 */
export function readExposure(
  client: pg.ClientBase,
  { schemas, roles, usualRoles = null, alsoRoles = [], othersSchemas = [] }: ExposureOptions,
  missing: 'refused' | 'left out' = 'refused',
): Promise<Exposure> {
  return inReadOnly(client, async () => {
    const there = missing === 'left out' ? await listNames(client) : null
    const isThere = (name: string) => there === null || there.has(name) || name === everybody
    const asked = schemas?.filter(isThere) ?? (await listSchemas(client, othersSchemas))
    const usual = roles ?? usualRoles ?? [...(await listRequestRoles(client)), everybody]
    const named = [...new Set([...usual, ...alsoRoles])].filter(isThere)
    const catalog = await readCatalog(client, asked, { requestRoles: named })
    const exposure = exposureOf(catalog, await readParticulars(client, asked), asked, named)
    return { asked: { schemas, roles }, ...exposure }
  })
}

/** @param asked the schemas that are shown, @param named the roles */
export function exposureOf(
  catalog: Catalog,
  particulars: Particulars,
  asked: readonly string[],
  named: readonly string[],
): Omit<Exposure, 'asked'> {
  const standings = standingsOf(catalog)
  const roles = [...new Set(named)].map((name) => standings.of(oidOf(catalog, name)))
  const shown = [...catalog.schemas.values()].filter(({ isAsked }) => isAsked)
  const missing = asked.find((name) => !shown.some((schema) => schema.name === name))
  if (missing !== undefined) throw new AdvisorError(`There is no schema ${missing}.`)
  const words = wordsThatDecide(catalog, particulars.views)
  const known: Known = { catalog, particulars, standings, requirements: new Map() }
  const those = (may: (role: Standing) => boolean) => roles.filter(may).map(({ name }) => name)
  return {
    roles: exposeRoles(catalog, roles),
    schemas: shown.map((schema) => ({
      name: schema.name,
      usable_by: those((role) => mayUse(role, schema)),
      creatable_by: those((role) => mayCreateIn(role, schema)),
      owned_by: those((role) => standings.hasRightsOf(role, schema.owner)),
    })),
    relations: exposeRelations(known, roles, words),
    functions: exposeFunctions(known, roles, words),
    sequences: exposeSequences(known, roles),
    parameters: exposeParameters(catalog, roles),
    large_objects: exposeLargeObjects(known, roles),
    default_privileges: exposeDefaults(known, roles),
    unseen: [...catalog.unseen, ...particulars.unseen, ...listCut(catalog)],
    above: exposeAbove(catalog, roles),
  }
}

function oidOf({ roles }: Catalog, name: string): number {
  if (name === everybody) return 0
  for (const role of roles.values()) if (role.name === name) return role.oid
  throw new AdvisorError(`There is no database role ${name}.`)
}

async function listNames(client: pg.ClientBase): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(
    'select nspname::text as name from pg_namespace union all select rolname::text from pg_roles',
  )
  return new Set(rows.map(({ name }) => name))
}
