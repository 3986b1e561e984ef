import pg from 'pg'
import { connectAnother } from './connect-another.ts'
import { endPrepared } from './end-prepared.ts'
import type { Statement } from './pipeline.ts'

/** A connection of a request that held what somebody has waited for. */
export interface EndedHolder {
  pid: number
  login: string
  /** False where the owner may not end it, which the doctor tells. */
  has_ended: boolean
}

/** Another connection of a request, and what it was ended for. */
export interface EndedRequest extends EndedHolder {
  reason: 'given up' | 'time' | 'locks'
}

/** How long anybody waits for a row of Pie's that a request holds, before that request is ended. */
export const PATIENCE_MS = 300

/** By then whoever has prepared a transaction, and means to end it, mostly has. */
const PREPARED_AFTER_MS = 1_000

/** How long a look waits itself: what is in its way may be the very one that it looks for. */
const LOOK_LOCK_TIMEOUT = '1s'

/** As PATIENCE_MS for what changes tables: everybody else waits behind it, so a request that is merely slow is let to its end. */
export const PATIENCE_TO_MIGRATE_MS = 3_000

/** See database/migrations/0034-waiting-for-requests.sql. @param waiter a connection that waits for whatever it is */
export const endHolders = (patienceMs: number, waiter: number | null = null): Statement => ({
  name: 'end_holders',
  text: 'select pid, login, has_ended from pie_private.end_holders(make_interval(secs => $1::float8 / 1000), $2)',
  values: [patienceMs, waiter],
})

/**
 * See database/migrations/0034-waiting-for-requests.sql.
 * @param givenUp as `givenUpBackends` has them
 */
export const endRequests = (seconds: number, givenUp: string[]): Statement => ({
  name: 'end_requests',
  text: 'select pid, login, reason, has_ended from pie_private.end_requests(make_interval(secs => $1), $2)',
  values: [seconds, givenUp],
})

/**
 * Works as the owner, and ends the requests that hold what this waits for. Another connection does that, and is made only
 * where there is something to wait for.
 */
export async function notHeldUp<T>(
  owner: pg.Client,
  work: () => Promise<T>,
  patienceMs: number = PATIENCE_MS,
): Promise<T> {
  const { processID: waiter } = owner as unknown as { processID: number }
  const others: Promise<pg.Client | null>[] = []
  const beganMs = performance.now()
  let looking: Promise<void> | null = null
  const look = async () => {
    try {
      if (others.length === 0) others.push(connectToLook(owner).catch(() => null))
      const { name: _, ...statement } = endHolders(patienceMs, waiter)
      const found = await (await others[0])?.query<EndedHolder>({
        ...statement,
        values: [...statement.values],
      })
      for (const holder of found?.rows ?? []) tell(holder)
      const another = await others[0]
      if (another != null && performance.now() - beganMs > PREPARED_AFTER_MS)
        await endPrepared(another, waiter)
    } catch (error) {
      // SQLSTATE 42883, 3F000: of a version before, or no Pie at all.
      if (error instanceof pg.DatabaseError && ['42883', '3F000'].includes(error.code ?? '')) stop()
    } finally {
      looking = null
    }
  }
  const timer = setInterval(
    () => {
      looking ??= look()
    },
    Math.min(patienceMs, PATIENCE_MS),
  )
  const stop = () => clearInterval(timer)
  try {
    return await work()
  } finally {
    stop()
    // The work goes on as soon as it may: what a look has taken to let it, it is still about to give back.
    await looking
    for (const another of others) await (await another)?.end().catch(() => {})
  }
}

async function connectToLook(owner: pg.Client): Promise<pg.Client> {
  const another = await connectAnother(owner)
  await another.query("select pg_catalog.set_config('lock_timeout', $1, false)", [
    LOOK_LOCK_TIMEOUT,
  ])
  return another
}

const told = new Set<number>()

function tell({ pid, login, has_ended }: EndedHolder): void {
  if (told.has(pid)) return
  told.add(pid)
  process.stderr.write(
    has_ended
      ? `warning: ended the connection ${pid} of ${login}: it held what this waited for\n`
      : `warning: the connection ${pid} of ${login} holds what this waits for, and this role may not end it: as a superuser, ` +
          `select pg_terminate_backend(${pid}). pie doctor says what is missing.\n`,
  )
}
