import type pg from 'pg'
import type { Catalog } from '../catalog/catalog.ts'
import { listCut } from '../catalog/list-cut.ts'
import { readCatalog } from '../catalog/read-catalog.ts'
import { inReadOnly } from '../database/in-read-only.ts'
import { AdvisorError } from '../errors.ts'
import { listSchemas } from '../list-schemas.ts'
import type { Names } from '../names.ts'
import { onOneLine } from '../printable.ts'
import { type Acceptance, applyAcceptances } from './apply-acceptances.ts'
import type { Finding } from './finding.ts'
import { harmlessMend } from './mends/harmless-mend.ts'
import { mendInTurn } from './mends/mend-in-turn.ts'
import type { Rule } from './rule.ts'
import { rules } from './rules.ts'
import { isAtLeast, type Weight } from './weight.ts'

export interface LintReport {
  /** The schemas that were looked at. */
  schemas: string[]
  findings: Finding[]
  /** How many more there are that somebody has accepted, with a reason. */
  accepted: number
  /** The schemas that are a platform's, of which only the policies were looked at. */
  left_alone: string[]
  /** What could not be seen for lack of rights, in words. */
  unseen: string[]
}

export interface LintQuestion {
  /** null for all but those of Postgres, of extensions and of `names.othersSchemas`. */
  schemas: readonly string[] | null
  acceptances: readonly Acceptance[]
  /** The lightest that is looked for: `slow`, so all but style, unless it is said. */
  least?: Weight
  /** What somebody else has found, to be told with the rest. */
  also?: readonly Finding[]
  names: Names
  /** Told how far it is, now and then: rules that were asked, of how many. */
  onProgress?: (done: number, of: number) => void
}

/**
 * Holds the catalog against the rules. Reads, in a transaction of its own, and changes nothing.
 * @throws AdvisorError when there is no such schema
 */
export function lintDatabase(
  client: pg.ClientBase,
  { schemas: named, acceptances, least = 'slow', also = [], names, onProgress }: LintQuestion,
): Promise<LintReport> {
  return inReadOnly(client, async () => {
    const schemas =
      named === null
        ? await listSchemas(client, names.othersSchemas)
        : await checkSchemas(client, named)
    const leftOut = named === null ? names.othersSchemas : []
    const catalog = await readCatalog(client, schemas, names, leftOut)
    // What is lighter matters only to who accepts it: that there is such a finding.
    const acceptedRules = new Set(acceptances.map(({ rule }) => rule))
    const findings: Finding[] = []
    const unasked: string[] = []
    for (const [done, rule] of rules.entries()) {
      onProgress?.(done, rules.length)
      try {
        const lightest = acceptedRules.has(rule.name) ? 'style' : least
        findings.push(...findingsOf(rule, catalog, names, lightest))
      } catch (cause) {
        if (!(cause instanceof RangeError)) throw cause
        unasked.push(`${rule.name}: what it looks at is nested too deep`)
      }
    }
    const mended = new Set(findings.map(({ mend }) => statementsOf(mend)))
    // What a rule found by itself is not told twice.
    findings.unshift(...also.filter(({ mend }) => !mended.has(statementsOf(mend))))
    const { findings: left, accepted } = applyAcceptances(
      findings,
      acceptances,
      rules.map(({ name }) => name),
      named,
      least,
    )
    return {
      schemas,
      findings: mendInTurn(left),
      accepted,
      left_alone: [...catalog.schemas.values()]
        .filter(({ name }) => leftOut.includes(name))
        .map(({ name }) => name),
      unseen: [
        ...unasked,
        ...catalog.unseen.map(onOneLine),
        ...listCut(catalog).map(onOneLine),
        ...(catalog.requestRoles.size === 0 ? [nobodyAsks] : []),
      ],
    }
  })
}

/** Without its comments, such as who has to run it. */
const statementsOf = (mend: string): string => mend.replaceAll(/^--.*\n/gm, '')

/** Silence about nobody would look like a database without faults. */
const nobodyAsks =
  'whom requests act as. No role here logs in, was granted something and owns nothing, and is no superuser, so that rules about ' +
  'them had nobody to ask about: name the roles (--role), or give the application one of its own'

/** Two policies may ask for one index: of one rule and object there is one finding. */
function findingsOf(
  { name, weight, why, find }: Rule,
  catalog: Catalog,
  names: Names,
  least: Weight,
): Finding[] {
  const faults = new Map(find(catalog, names).map((fault) => [fault.object, fault]))
  return [...faults.values()]
    .filter((fault) => isAtLeast(fault.weight ?? weight, least))
    .sort((one, other) => (one.object < other.object ? -1 : 1))
    .map(({ object, mend, detail = null, weight: own = weight }) => ({
      ...{ rule: name, weight: own, object: onOneLine(object), why },
      detail: detail === null ? null : onOneLine(detail),
      mend: harmlessMend(object, mend, catalog.oddNames),
    }))
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
