/** Sees to it that nobody waits for long for a row of Pie's that a request holds (decision 30). */
import type pg from 'pg'
import type { Secret } from '../ground/crypto/secret.ts'
import { connectClient } from '../ground/database/connect-client.ts'
import { type EndedHolder, endHolders, PATIENCE_MS } from '../ground/database/end-holders.ts'
import type { Lineage } from '../ground/database/lineage.ts'
import { createLogin } from '../ground/database/login.ts'
import { cutOff } from '../ground/database/lost-connection.ts'
import type { Log } from '../ground/log.ts'

const EVERY_MS = 300

/** Longer than Postgres takes to end all that it finds. */
const GIVE_UP_MS = 5_000

/**
 * On a connection of its own: those of the pool may all be waiting.
 * @returns what stops it
 */
export function watchWaits(
  urls: { listen: readonly Secret[]; requests: readonly Secret[] },
  log: Log,
  lineage: Lineage,
): () => Promise<void> {
  const login = createLogin(urls.listen, { runs: 'own', mustWrite: true, lineage })
  const statement = endHolders(PATIENCE_MS)
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
        const { rows } = await connected.query<EndedHolder>({
          ...statement,
          values: [...statement.values],
        })
        for (const { pid, login: role, has_ended } of rows)
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
