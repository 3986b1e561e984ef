import type pg from 'pg'
import { listRequestRoles } from '../list-request-roles.ts'
import type { Names } from '../names.ts'
import type { Catalog, DefaultPrivilege } from './catalog.ts'
import { closureOf } from './memberships.ts'
import { aclReader } from './parse-acl.ts'
import { readDetours } from './read-detours.ts'
import { readFunctions } from './read-functions.ts'
import { readOddNames } from './read-odd-names.ts'
import { readOperatorClasses } from './read-operator-classes.ts'
import { readKeptFunctions, readParts } from './read-parts.ts'
import { addPolicies, addRules } from './read-policies.ts'
import { readRelations } from './read-relations.ts'
import { readRoles } from './read-roles.ts'
import { readSchemas } from './read-schemas.ts'
import { readSequences, readStatisticsSince } from './read-statistics.ts'
import { readCasts, readOperators, readTypes } from './read-types.ts'
import { askOn, type Reading } from './reading.ts'

/**
 * Reads the catalog, as anybody may: no rights are needed. Has to run where nothing but pg_catalog is on the search path
 * (`database/in-read-only.ts`).
 * @param asked the schemas that are asked about, by name
 * @param policiesIn others, of whose tables only the policies are asked about
 */
export async function readCatalog(
  client: pg.ClientBase,
  asked: readonly string[],
  names: Pick<Names, 'requestRoles'>,
  policiesIn: readonly string[] = [],
): Promise<Catalog> {
  const ask = askOn(client)
  const roles = await readRoles(ask)
  const readAcl = aclReader(new Map([...roles.values()].map(({ name, oid }) => [name, oid])))
  const reading: Reading = { ask, readAcl, asked, policiesIn }
  const schemas = await readSchemas(reading)
  const relations = await readRelations(reading, schemas)
  await addPolicies(reading, relations)
  await addRules(reading, relations)
  const database = await readDatabase(reading)
  const requested = names.requestRoles ?? (await listRequestRoles(client))
  return {
    ...database,
    parameters: database.version < 150_000 ? [] : await readParameters(reading),
    roles,
    schemas,
    relations,
    functions: await readFunctions(reading, schemas),
    operators: await readOperators(reading),
    types: await readTypes(reading),
    casts: await readCasts(reading),
    operatorClasses: await readOperatorClasses(reading),
    parts: await readParts(reading),
    keptFunctions: await readKeptFunctions(reading),
    sequences: await readSequences(reading),
    statisticsSince: await readStatisticsSince(reading),
    defaultPrivileges: await readDefaultPrivileges(reading),
    extensions: await readExtensions(reading),
    requestRoles: closureOf(
      roles,
      [...roles.values()].filter(({ name }) => requested.includes(name)).map(({ oid }) => oid),
    ),
    detours: await readDetours(reading),
    unseen: [],
    oddNames: await readOddNames(reading),
  }
}

async function readDatabase({
  ask,
  readAcl,
}: Reading): Promise<Pick<Catalog, 'version' | 'database'>> {
  const [row] = await ask<{ version: number; name: string; owner: number; acl: string[] }>(`
    select current_setting('server_version_num')::int as version, datname as name, datdba as owner,
      coalesce(datacl, acldefault('d', datdba))::text[] as acl
    from pg_database where datname = current_database()`)
  if (row === undefined) throw new Error('the database does not know itself')
  const { version, name, owner, acl } = row
  return { version, database: { name, owner, acl: readAcl(acl) } }
}

async function readParameters({ ask, readAcl }: Reading): Promise<Catalog['parameters']> {
  const rows = await ask<{ name: string; acl: string[] }>(
    'select parname as name, paracl::text[] as acl from pg_parameter_acl order by parname collate "C"',
  )
  return rows.map(({ name, acl }) => ({ name, acl: readAcl(acl) }))
}

async function readDefaultPrivileges({ ask, readAcl }: Reading): Promise<DefaultPrivilege[]> {
  const rows = await ask<Omit<DefaultPrivilege, 'acl'> & { acl: string[] }>(`
    select defaclrole as role, nullif(defaclnamespace, 0) as schema, defaclacl::text[] as acl,
      case defaclobjtype when 'r' then 'relation' when 'S' then 'sequence' when 'f' then 'function' when 'T' then 'type'
        when 'n' then 'schema' else 'large object' end as object
    from pg_default_acl order by oid`)
  return rows.map((row) => ({ ...row, acl: readAcl(row.acl) }))
}

async function readExtensions({ ask }: Reading): Promise<Catalog['extensions']> {
  const rows = await ask<{ oid: number; name: string; schema: number }>(
    'select oid, extname as name, extnamespace as schema from pg_extension',
  )
  return new Map(rows.map(({ oid, ...extension }) => [oid, extension]))
}
