/** Sees to it that nobody waits for long for what a request holds, and that no request goes on for ever (decision 30). */
import type pg from 'pg'
import type { Secret } from '../ground/crypto/secret.ts'
import { connectClient } from '../ground/database/connect-client.ts'
import {
  type EndedHolder,
  type EndedRequest,
  endHolders,
  endRequests,
  PATIENCE_MS,
} from '../ground/database/end-holders.ts'
import { givenUpBackends } from '../ground/database/given-up.ts'
import type { Lineage } from '../ground/database/lineage.ts'
import { createLogin } from '../ground/database/login.ts'
import { cutOff } from '../ground/database/lost-connection.ts'
import type { Statement } from '../ground/database/pipeline.ts'
import type { Log } from '../ground/log.ts'

const EVERY_MS = 300

/** Longer than Postgres takes to end all that it finds. */
const GIVE_UP_MS = 5_000

/**
 * On a connection of its own: those of the pool may all be waiting.
 * @returns what stops it
 */
export function watchRequests(
  urls: { listen: readonly Secret[]; requests: readonly Secret[] },
  timeLimitSeconds: number,
  log: Log,
  lineage: Lineage,
): () => Promise<void> {
  const login = createLogin(urls.listen, { runs: 'own', mustWrite: true, lineage })
  let client: pg.Client | null = null
  let looking: Promise<void> | null = null
  const look = async () => {
    try {
      client ??= await connectClient(login, {
        connectionTimeoutMillis: GIVE_UP_MS,
        application_name: 'pie watcher',
      })
      const connected = client
      const giveUp = setTimeout(() => cutOff(connected), GIVE_UP_MS)
      try {
        const asked = (statement: Statement) => ({ ...statement, values: [...statement.values] })
        // First who holds most: what is asked next may need a lock.
        const over = endRequests(timeLimitSeconds, givenUpBackends())
        const requests = await connected.query<EndedRequest>(asked(over))
        for (const { pid, login: role, reason, has_ended } of requests.rows)
          if (has_ended || (await endAs(urls.requests, pid)))
            log.warn(
              { pid, role, reason },
              'ended a request that went on for too long, or held too much',
            )
          else
            log.warn(
              { pid, role, reason },
              'a request goes on for too long, or holds too much, and may not be ended: pie doctor says why',
            )
        const holders = await connected.query<EndedHolder>(asked(endHolders(PATIENCE_MS)))
        for (const { pid, login: role, has_ended } of holders.rows)
          if (has_ended || (await endAs(urls.requests, pid)))
            log.warn({ pid, role }, 'ended a request that held up others')
          else
            log.warn(
              { pid, role },
              'a request holds up others, and may not be ended: pie doctor says why',
            )
      } finally {
        clearTimeout(giveUp)
      }
    } catch {
      // What keeps a node from its database is told by whoever serves requests.
      if (client !== null) cutOff(client)
      client = null
    }
  }
  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = null
    })
  }, EVERY_MS)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await looking
    await client?.end().catch(() => {})
  }
}

/** Where the owner may not end it: a role may end connections of its own. */
async function endAs(requests: readonly Secret[], pid: number): Promise<boolean> {
  const client = await connectClient(createLogin(requests), { connectionTimeoutMillis: 2_000 })
  try {
    const { rows } = await client.query('select pg_catalog.pg_terminate_backend($1) as ended', [
      pid,
    ])
    return rows[0]?.ended === true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}
