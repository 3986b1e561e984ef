import type pg from 'pg'
import { Refusal } from '../errors.ts'
import { stateOf } from './connection-state.ts'
import type { Lineage } from './lineage.ts'
import type { Login } from './login.ts'
import { WAIT_FOR_CONNECTION_MS } from './lost-connection.ts'

/**
 * Takes a connection from a pool: one that has not been given up, as far as anybody knows.
 * @throws Refusal `database_unavailable` when none can be had in time
 */
export async function takeConnection(
  pool: pg.Pool,
  login: Login,
  lineage: Lineage | null,
): Promise<pg.PoolClient> {
  const beganMs = performance.now()
  const isInTime = () => performance.now() - beganMs < WAIT_FOR_CONNECTION_MS
  for (let triesLeft = login.tries; ; ) {
    try {
      const client = await pool.connect()
      const { isLost, isLeaving, primary } = stateOf(client)
      // Also one that was being made while somebody else learnt of a newer primary.
      if (!isLost && !isLeaving && !lineage?.isLeft(primary)) return client
      client.release(true)
    } catch (cause) {
      triesLeft -= 1
      const isOther = login.tryNext(cause)
      // Also for whoever comes next.
      if (isOther) Object.assign(pool.options, login.config())
      if (isOther && triesLeft > 0 && isInTime()) continue
      throw new Refusal('database_unavailable', { retryAfterSeconds: 2, cause })
    }
  }
}
