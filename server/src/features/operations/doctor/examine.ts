import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Clock } from '../../../ground/clock.ts'
import { setOf } from '../../../ground/database/applied-migrations.ts'
import { COMPATIBLE, PIES_OWN, readMigrations } from '../../../ground/database/migrate.ts'
import { compareCatalog, isForeign, isMissing } from './compare-catalog.ts'
import { databaseChecks } from './database-checks.ts'
import type { Ask, Check, Finding, Weight } from './finding.ts'
import { grantChecks } from './grant-checks.ts'
import { ownershipChecks } from './ownership-checks.ts'
import { type ExpectedEntry, readCatalog } from './read-catalog.ts'
import { roleChecks } from './role-checks.ts'

/** Everything that security stands on, in the order in which it is told. */
export const catalogue: readonly Check[] = [
  ...roleChecks,
  ...ownershipChecks,
  ...grantChecks,
  ...databaseChecks,
]

/** Who the login roles are: cream and pie_auth, unless the operator has others. */
export interface Logins {
  requests: string
  auth: string
}

const order: Weight[] = ['opens', 'hinders', 'tells']

/**
 * Looks at a database on which Pie is: what opens it first. Reads the catalog, which any role may, and changes nothing.
 * @param ask with nothing on the search path but pg_catalog
 */
export async function examine(ask: Ask, clock: Clock, logins: Logins): Promise<Finding[]> {
  const owner = await readOwner(ask)
  const findings: Finding[] = []
  for (const check of catalogue)
    findings.push(...(await findingsOf(ask, check, [logins.requests, logins.auth, owner])))
  findings.push(...(await examineClock(ask, clock)))
  findings.push(...(await examineObjects(ask, { ...logins, owner })))
  findings.splice(0, findings.length, ...leaveOthersAlone(findings, logins, owner))
  return findings.sort((one, other) => order.indexOf(one.weight) - order.indexOf(other.weight))
}

/** The login roles that migrations make. */
const madeByPie = ['cream', 'pie_auth']

/** A role that Pie has not made is somebody's, who gave its address: it is named, and never changed. */
function leaveOthersAlone(findings: Finding[], logins: Logins, owner: string): Finding[] {
  const others = [logins.requests, logins.auth].filter((name) => !madeByPie.includes(name))
  const isOf = ({ object }: Finding, name: string) =>
    object === `role ${name}` || object === `role "${name}"`
  const isOwner = others.includes(owner)
  return [
    ...(isOwner ? [loginIsOwner(owner)] : []),
    ...findings
      .filter((finding) => !(isOwner && isOf(finding, owner)))
      .map((finding) =>
        others.some((name) => isOf(finding, name)) ? { ...finding, isSafe: false } : finding,
      ),
  ]
}

const loginIsOwner = (owner: string): Finding => ({
  check: 'login-is-owner',
  weight: 'opens',
  object: `role ${owner}`,
  what: 'is the owner, and a login role too: it owns things in this database and may change every rule in it',
  why: 'Give the address of a role that is Pie’s alone, in AUTH_DATABASE_URL and REQUEST_DATABASE_URL.',
  mend: null,
  isSafe: false,
})

/** Whoever migrates. */
async function readOwner(ask: Ask): Promise<string> {
  const [row] = await ask(
    `select rolname from pg_class join pg_namespace on pg_namespace.oid = relnamespace join pg_roles on pg_roles.oid = relowner
     where nspname = 'pie_private' and relname = 'migrations'`,
  )
  return String(row?.['rolname'] ?? '')
}

async function findingsOf(ask: Ask, check: Check, values: string[]): Promise<Finding[]> {
  const used = values.slice(
    0,
    Math.max(0, ...[1, 2, 3].filter((at) => check.query.includes(`$${at}`))),
  )
  // Postgres wants to know the type of a parameter that a query does not come to.
  const rows = await ask(check.query, used)
  return rows.map(({ object, what, why, mend, weight, is_safe: isSafe }) => ({
    check: check.name,
    weight: (weight as Weight | null | undefined) ?? check.weight,
    object: String(object),
    what: String(what),
    why: typeof why === 'string' ? why : check.why,
    mend: mend === null ? null : String(mend),
    isSafe: mend !== null && check.isSafe !== false && isSafe !== false,
  }))
}

const MOST_SKEW_MS = 5_000

async function examineClock(ask: Ask, clock: Clock): Promise<Finding[]> {
  const before = clock.now().getTime()
  const [row] = await ask('select extract(epoch from clock_timestamp()) * 1000 as now')
  const after = clock.now().getTime()
  const skewMs = Math.round(Number(row?.['now']) - (before + after) / 2)
  if (Math.abs(skewMs) < MOST_SKEW_MS + (after - before)) return []
  return [
    {
      check: 'clock',
      weight: 'hinders',
      object: 'clock of this machine',
      what: `is ${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? 'behind' : 'ahead of'} the database’s`,
      why: 'Tokens are issued and checked by this one, sessions by the database’s: some end too early, others too late.',
      mend: null,
      isSafe: false,
    },
  ]
}

/** Printed from a fresh database by `npm run print`. */
const expectedFile = new URL('../../../../../database/expected.json', import.meta.url)

async function examineObjects(ask: Ask, roles: Logins & { owner: string }): Promise<Finding[]> {
  const found = await readCatalog(ask, roles)
  const expected = JSON.parse(readFileSync(expectedFile, 'utf8')) as ExpectedEntry[]
  const findings = compareCatalog(expected, found, roles.owner)
  // Which is in the catalog, so that nobody blinds the doctor by taking a function away.
  const isBehind = !found.some(({ object }) => object === 'column pie_private.migrations.made')
  const applied = isBehind ? null : await readApplied(ask)
  const own = (await readMigrations()).map(({ name }) => name)
  const pending = own.filter((name) =>
    isBehind ? setOf(name) === COMPATIBLE : applied !== null && !applied.includes(name),
  )
  // What is missing may be what they make; what is there and is not as it was stays a fault.
  if (pending.length > 0)
    return [migrationsPending(pending), ...findings.filter(({ what }) => !isMissing(what))]
  const newer = (applied ?? []).filter(
    (name) => [PIES_OWN, COMPATIBLE].includes(setOf(name)) && !own.includes(name),
  )
  return newer.length === 0
    ? findings
    : [ofNewerPie(newer), ...findings.filter((finding) => isOursToJudge(finding, expected))]
}

/** Through a function, so that a login role may ask too; null where it may not, or no function runs, which are findings of their own. Nothing is asked after it. */
async function readApplied(ask: Ask): Promise<string[] | null> {
  const [there] = await ask(
    `select exists (
       select from pg_proc join pg_namespace on pg_namespace.oid = pronamespace
       where nspname = 'pie_private' and proname = 'list_migrations'
         and has_schema_privilege(pg_namespace.oid, 'usage') and has_function_privilege(pg_proc.oid, 'execute')
     ) as there`,
  )
  if (there?.['there'] !== true) return null
  try {
    const rows = await ask('select name from pie_private.list_migrations()')
    return rows.map(({ name }) => String(name))
  } catch (error) {
    if (isLanguageMissing(error)) return null
    throw error
  }
}

/** SQLSTATE 58P01 and 42602: where dynamic_library_path leads nowhere, plpgsql cannot be loaded (PostgreSQL 18). */
const isLanguageMissing = (error: unknown): boolean =>
  ['58P01', '42602'].includes(String((error as { code?: unknown }).code))

/** A newer Pie only adds, and may have made functions anew: the rest of what this one knows has to be as it was. */
function isOursToJudge(
  { check, object, what }: Finding,
  expected: readonly ExpectedEntry[],
): boolean {
  if (
    ['catalog-row-security', 'catalog-policy', 'catalog-trigger', 'catalog-trigger-state'].includes(
      check,
    )
  )
    return (
      what !== isForeign ||
      expected.some(
        (entry) => entry.kind === 'table' && object.endsWith(` on ${entry.object.slice(6)}`),
      )
    )
  if (check !== 'catalog-grant') return false
  return (
    isMissing(what) ||
    expected.some((entry) => object.includes(` on ${entry.object.replace(/^table /, '')} to `))
  )
}

const ofNewerPie = (names: string[]): Finding => ({
  check: 'newer-pie',
  weight: 'tells',
  object: 'database',
  what: `has had ${names.map((name) => basename(name)).join(', ')}, of a newer Pie`,
  why: 'Functions and views of Pie’s are not compared here: the newer one’s doctor does that.',
  mend: null,
  isSafe: false,
})

const migrationsPending = (pending: string[]): Finding => ({
  check: 'migrations-pending',
  weight: 'hinders',
  object: 'database',
  what: `has not had ${pending.map((name) => basename(name)).join(', ')}`,
  why: 'What this version of Pie needs may not be there. Run pie migrate, or start a node that has the owner’s address.',
  mend: null,
  isSafe: false,
})
