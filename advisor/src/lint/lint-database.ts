import type pg from 'pg'
import { AdvisorError } from '../errors.ts'
import { listRequestRoles } from '../list-request-roles.ts'
import type { Names } from '../names.ts'
import { type Acceptance, applyAcceptances } from './apply-acceptances.ts'
import type { Finding } from './finding.ts'
import type { Rule } from './rule.ts'
import { rules } from './rules.ts'

export interface LintReport {
  /** The schemas that were looked at. */
  schemas: string[]
  findings: Finding[]
  /** How many more there are that somebody has accepted, with a reason. */
  accepted: number
}

export interface LintQuestion {
  /** null for all but those of Postgres and of extensions. */
  schemas: readonly string[] | null
  acceptances: readonly Acceptance[]
  /** What somebody else has found, to be told with the rest. */
  also?: readonly Finding[]
  names: Pick<Names, 'requestRoles' | 'hookSchemas'>
}

/**
 * Holds the catalog against the rules. Reads, in a transaction of its own, and changes nothing.
 * @throws AdvisorError when there is no such schema
 */
export async function lintDatabase(
  owner: pg.ClientBase,
  { schemas: named, acceptances, also = [], names }: LintQuestion,
): Promise<LintReport> {
  await owner.query('begin transaction isolation level repeatable read, read only')
  try {
    // Nothing that stands in the schemas can stand in for what the rules name, and what the catalog
    // prints says its schema.
    await owner.query('set local search_path = pg_catalog, pg_temp')
    const schemas = named === null ? await listSchemas(owner) : await checkSchemas(owner, named)
    await tellNames(owner, names)
    const findings: Finding[] = [...also]
    for (const rule of rules) findings.push(...(await findingsOf(owner, rule, schemas)))
    return { schemas, ...applyAcceptances(findings, acceptances, named) }
  } finally {
    await owner.query('rollback')
  }
}

/** Rules read them as settings: see catalog-sources.ts. */
async function tellNames(owner: pg.ClientBase, names: LintQuestion['names']): Promise<void> {
  const roles = names.requestRoles ?? (await listRequestRoles(owner))
  await owner.query(`select set_config($1, $2, true), set_config($3, $4, true)`, [
    ...['advisor.request_roles', JSON.stringify(roles)],
    ...['advisor.hook_schemas', JSON.stringify(names.hookSchemas)],
  ])
}

async function findingsOf(
  owner: pg.ClientBase,
  { name, why, query, read = (row) => [row] }: Rule,
  schemas: string[],
): Promise<Finding[]> {
  const { rows } = await owner.query(query, [schemas])
  // Two policies may ask for one index.
  const mends = new Map(rows.flatMap(read).map(({ object, mend }) => [object, mend]))
  return [...mends]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([object, mend]) => ({ rule: name, object, why, mend }))
}

async function listSchemas(owner: pg.ClientBase): Promise<string[]> {
  const { rows } = await owner.query<{ nspname: string }>(
    `select nspname from pg_namespace
     where nspname !~ '^pg_' and nspname <> 'information_schema' and not exists (
       select from pg_depend
       where classid = 'pg_namespace'::regclass and objid = pg_namespace.oid and deptype = 'e'
     ) order by 1`,
  )
  return rows.map(({ nspname }) => nspname)
}

async function checkSchemas(owner: pg.ClientBase, named: readonly string[]): Promise<string[]> {
  const { rows } = await owner.query<{ nspname: string }>('select nspname from pg_namespace')
  const there = rows.map(({ nspname }) => nspname)
  const missing = named.find((schema) => !there.includes(schema))
  if (missing === undefined) return [...new Set(named)]
  throw new AdvisorError(
    `There is no schema ${missing} in this database. There are: ${there
      .filter((schema) => !/^(pg_|information_schema$)/.test(schema))
      .sort()
      .join(', ')}. A name is written as it is, without quotes.`,
  )
}
