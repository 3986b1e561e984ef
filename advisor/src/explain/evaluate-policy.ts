import pg from 'pg'
import { attempt } from '../database/attempt.ts'
import { asOwner } from './count-rows.ts'
import type { AskedPolicy } from './explanation.ts'
import type { Table } from './find-table.ts'

type Answer = Required<Pick<AskedPolicy, 'result' | 'error' | 'code'>>

/** One policy by itself may take this long: there may be many. */
export const POLICY_TIMEOUT_SECONDS = 5

/**
 * Has Postgres evaluate a policy for rows, as the current role: true when it is of every one. The rows are handed in:
 * nothing is locked, and they need not be in the table.
 */
export async function evaluatePolicy(
  client: pg.ClientBase,
  table: Table,
  expression: string,
  rows: readonly string[],
  role: string,
): Promise<Answer> {
  const answer = await evaluate(client, table, expression, rows)
  if (answer.code !== '42501') return answer
  // A policy is kept by what it names, and needs no usage of their schemas; its text does.
  const { found } = await attempt(client, async () => {
    await asOwner(client, role, () => grantUsage(client, expression, role))
    return evaluate(client, table, expression, rows)
  })
  return found ?? answer
}

async function evaluate(
  client: pg.ClientBase,
  { name, relation }: Table,
  expression: string,
  rows: readonly string[],
): Promise<Answer> {
  // Under the table's own name, so that the expression finds the columns however it names them, and of
  // the table's own type, so that it may pass on the whole row.
  const { error, found } = await attempt(client, async () => {
    await client.query(`set local statement_timeout = '${POLICY_TIMEOUT_SECONDS}s'`)
    return client.query<{ result: boolean | null }>(
      `select (${expression}) as result from unnest($1::${name}[]) as ${pg.escapeIdentifier(relation)}`,
      [rows],
    )
  })
  if (error !== null) return { result: null, error: error.message, code: error.code ?? '' }
  const answers = found.rows.map(({ result }) => result)
  return { result: combined(answers), error: null, code: null }
}

function combined(answers: (boolean | null)[]): boolean | null {
  if (answers.includes(false)) return false
  return answers.includes(null) ? null : true
}

/** Lets a role name what stands in the schemas that an expression mentions. Whoever asks may not own them all. */
async function grantUsage(client: pg.ClientBase, expression: string, role: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select pg_catalog.quote_ident(nspname) as name from pg_catalog.pg_namespace
     where pg_catalog.strpos($1, pg_catalog.quote_ident(nspname) || '.') > 0
       and not pg_catalog.has_schema_privilege($2::pg_catalog.name, oid, 'usage')`,
    [expression, role],
  )
  for (const { name } of rows) {
    await client.query('savepoint usage')
    try {
      await client.query(`grant usage on schema ${name} to ${pg.escapeIdentifier(role)}`)
      await client.query('release usage')
    } catch {
      await client.query('rollback to usage; release usage')
    }
  }
}
