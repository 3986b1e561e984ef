import type pg from 'pg'
import { attempt } from '../database/attempt.ts'
import { asOwner } from './count-rows.ts'
import { evaluatePolicy } from './evaluate-policy.ts'
import type { AskedPolicy, Culprit, PostgresDecision, Question } from './explanation.ts'
import { findCircle } from './find-circle.ts'
import { findMissingRights } from './find-missing-rights.ts'
import { findTable, type Table } from './find-table.ts'
import { questionsFor } from './questions-for.ts'
import { readPolicies } from './read-policies.ts'

/** As many rows are handed to a policy, to see whether it fails on one. */
const MOST_HANDED_IN = 1000

/**
 * Finds the policies that an error comes from: those that fail so by themselves. Postgres does not tell.
 * @param questions answered where a row was named
 */
export async function findCulprits(
  client: pg.ClientBase,
  table: Table,
  questions: readonly Question[],
  decision: PostgresDecision,
  role: string,
): Promise<PostgresDecision> {
  const { code } = decision
  if (code === null) return decision
  if (code === '42P17') return withPolicies(decision, await findCircle(client, table.oid, role))
  const answered = uniquePolicies(questions).filter((policy) => policy.code === code)
  if (answered.length > 0)
    return withMend(client, withPolicies(decision, culprits(table, answered)), role)
  const isAnswered = questions.some(({ policies }) =>
    policies.some(({ code: said }) => said != null),
  )
  if (isAnswered) return decision
  for (const asked of await beneath(client, table, questions, role)) {
    const failing = await failingOf(client, asked, code, role)
    if (failing.length > 0) return withMend(client, withPolicies(decision, failing), role)
  }
  return decision
}

interface AskedTable {
  table: Table
  policies: AskedPolicy[]
}

/** A view has no policies of its own; what it reads as whoever asks may have. */
async function beneath(
  client: pg.ClientBase,
  table: Table,
  questions: readonly Question[],
  role: string,
): Promise<AskedTable[]> {
  if (table.kind !== 'view') return [{ table, policies: uniquePolicies(questions) }]
  if (!table.is_security_invoker) return []
  const found: AskedTable[] = []
  for (const name of table.reads) {
    const read = await asOwner(client, role, () => findTable(client, name))
    const policies = questionsFor('select', await readPolicies(client, read))
    found.push({ table: read, policies: uniquePolicies(policies) })
  }
  return found
}

async function failingOf(
  client: pg.ClientBase,
  { table, policies }: AskedTable,
  code: string,
  role: string,
): Promise<Culprit[]> {
  if (policies.length === 0) return []
  const rows = await rowsOf(client, table, role)
  const failing: AskedPolicy[] = []
  for (const policy of policies) {
    const said = await evaluatePolicy(client, table, policy.expression, rows, role)
    if (said.code === code) failing.push(policy)
  }
  return culprits(table, failing)
}

/** The rows as the owner sees them; where there are none, one of nulls. */
async function rowsOf(client: pg.ClientBase, table: Table, role: string): Promise<string[]> {
  const { found } = await asOwner(client, role, () =>
    attempt(client, () =>
      client.query<{ content: string }>(
        `select ("the row".*)::text as content from ${table.name} as "the row" limit ${MOST_HANDED_IN}`,
      ),
    ),
  )
  const rows = found?.rows.map(({ content }) => content) ?? []
  return rows.length > 0 ? rows : [rowOfNulls(table)]
}

export const rowOfNulls = ({ columns }: Table): string =>
  `(${','.repeat(Math.max(0, columns.length - 1))})`

function uniquePolicies(questions: readonly Question[]): AskedPolicy[] {
  const all = questions.flatMap(({ policies }) => policies)
  return [
    ...new Map(
      all.map((policy) => [`${policy.name} ${policy.expression} ${policy.code}`, policy]),
    ).values(),
  ]
}

const culprits = (table: Table, policies: readonly AskedPolicy[]): Culprit[] =>
  [...new Set(policies.map(({ name }) => name))].map((policy) => ({ table: table.name, policy }))

const withPolicies = (decision: PostgresDecision, policies: Culprit[]): PostgresDecision => ({
  ...decision,
  policy: policies[0]?.policy ?? null,
  policies,
})

async function withMend(
  client: pg.ClientBase,
  decision: PostgresDecision,
  role: string,
): Promise<PostgresDecision> {
  if (decision.code !== '42501') return decision
  return { ...decision, mend: await findMissingRights(client, decision.policies, role) }
}
