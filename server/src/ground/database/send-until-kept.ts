import type pg from 'pg'
import { isTransactionPooled, stateOf } from './connection-state.ts'
import { isConflict, isPlanOutdated } from './lost-connection.ts'
import { type Statement, sendTogether } from './pipeline.ts'
import { sendThroughPooler } from './through-pooler.ts'

const MOST_CONFLICTS = 4

/** All of it is one transaction: where Postgres has kept nothing of it for a reason that may be gone, it is sent again. */
export async function sendUntilKept(
  client: pg.PoolClient,
  statements: Statement[],
): Promise<pg.QueryResultRow[][]> {
  let conflicts = 0
  let isOutdated = false
  for (;;) {
    try {
      return isTransactionPooled(client)
        ? await sendThroughPooler(client, statements)
        : await sendTogether(client, statements)
    } catch (error) {
      if (isConflict(error) && conflicts < MOST_CONFLICTS) conflicts += 1
      else if (isPlanOutdated(error) && !isOutdated) isOutdated = true
      else throw error
      // Of whatever tables the plans were.
      stateOf(client).prepared.clear()
    }
  }
}
