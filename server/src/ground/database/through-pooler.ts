import type pg from 'pg'
import { type Statement, sendTogether } from './pipeline.ts'
import { putAwayStatements } from './reset-connection.ts'

/**
 * The same as `sendTogether`, through a pooler in transaction mode, where each transaction may come to
 * another connection of the server, on which anything may have been left. So nothing relies on what was
 * prepared before, and what outlives a transaction is put away at the beginning of each.
 */
export function sendThroughPooler(
  client: pg.PoolClient,
  statements: readonly Statement[],
): Promise<pg.QueryResultRow[][]> {
  return sendTogether(client, statements.map(withoutName), putAwayStatements(client))
}

/**
 * Ends the server's connection that this comes to, if `authenticate` would refuse it with PI001; a
 * retry, which may well come to the same one, would be refused there again and again.
 */
export async function endUnclean(client: pg.PoolClient): Promise<void> {
  await sendThroughPooler(client, [endIfUnclean]).catch(() => {})
}

const withoutName = (statement: Statement): Statement => ({ ...statement, name: '' })

const endIfUnclean: Statement = {
  name: '',
  text: `
    select pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())
    where pg_catalog.pg_my_temp_schema() <> 0
      or exists (select from pg_catalog.pg_prepared_statements where from_sql)`,
  values: [],
}
