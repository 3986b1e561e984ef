import pg from 'pg'
import { OperatorError } from '../errors.ts'
import { connectAnother } from './connect-another.ts'
import { cutOff } from './lost-connection.ts'

/** The advisory lock of whoever prepares a database: "pie" and the number of the lock. */
const MIGRATION_LOCK = 0x7069650001

/** How long another may take. Whoever has waited in vain is told who that is. */
const WAIT = '60s'

/**
 * Takes turns: of several nodes that start at once on one database, one works here at a time, and the
 * later ones find little left to do.
 *
 * The turn is a lock on a table of Pie's, which nobody but the owner may take. Where that table is not there yet, and for
 * nodes of a version that does not know it, it is an advisory lock as well: anybody who can run SQL may take that, so
 * what requests hold of it is not waited for.
 *
 * @throws OperatorError when somebody else does not finish, as a long migration may not
 */
export async function inTurn<T>(
  owner: pg.Client,
  work: () => Promise<T>,
  wait: string = WAIT,
): Promise<T> {
  const turn = await takeTable(owner, wait)
  try {
    const isHeld = await takeAdvisoryLock(owner, wait, turn !== null)
    try {
      return await work()
    } finally {
      if (isHeld) await owner.query('select pg_catalog.pg_advisory_unlock($1)', [MIGRATION_LOCK])
    }
  } finally {
    await turn?.end()
  }
}

/** On a connection of its own, because the work has transactions of its own. Null where there is no such table yet. */
async function takeTable(owner: pg.Client, wait: string): Promise<{ end(): Promise<void> } | null> {
  const { rows } = await owner.query<{ is_there: boolean }>(
    `select pg_catalog.to_regclass('pie_private.turns') is not null as is_there`,
  )
  if (rows[0]?.is_there !== true) return null
  const turn = await connectAnother(owner)
  try {
    await turn.query('begin')
    await withinWait(turn, wait, true, () =>
      turn.query('lock table pie_private.turns in exclusive mode'),
    )
  } catch (cause) {
    await turn.end()
    if (!isLockTimeout(cause)) throw cause
    throw new OperatorError(inVain(wait, await describeHolderOfTable(owner)), { cause })
  }
  // Whoever has lost the turn stops in the middle, which undoes what is not done.
  const stop = () => cutOff(owner, new Error('the connection that held the turn was lost'))
  turn.on('end', stop)
  return {
    end: async () => {
      turn.off('end', stop)
      await turn.end()
    },
  }
}

/** @returns whether it is held: where the turn is held anyway, a request that has it is passed over */
async function takeAdvisoryLock(owner: pg.Client, wait: string, isTurn: boolean): Promise<boolean> {
  const { rows } = await owner.query<{ held: boolean }>(
    'select pg_catalog.pg_try_advisory_lock($1) as held',
    [MIGRATION_LOCK],
  )
  if (rows[0]?.held === true) return true
  if (isTurn && (await areRequests(owner))) return false
  try {
    await withinWait(owner, wait, false, () =>
      owner.query('select pg_catalog.pg_advisory_lock($1)', [MIGRATION_LOCK]),
    )
    return true
  } catch (cause) {
    if (!isLockTimeout(cause)) throw cause
    throw new OperatorError(inVain(wait, await describeHolder(owner)), { cause })
  }
}

/** @param isLocal until the transaction ends, which the work does not have */
async function withinWait(
  client: pg.Client,
  wait: string,
  isLocal: boolean,
  lock: () => Promise<unknown>,
): Promise<void> {
  await client.query("select pg_catalog.set_config('lock_timeout', $1, $2)", [wait, isLocal])
  try {
    await lock()
  } finally {
    if (!isLocal) await client.query('reset lock_timeout')
  }
}

/** SQLSTATE 55P03, lock_not_available */
const isLockTimeout = (cause: unknown): boolean =>
  cause instanceof pg.DatabaseError && cause.code === '55P03'

const inVain = (wait: string, holder: string): string =>
  `Somebody else has been preparing this database for ${wait}: ${holder}. ` +
  'If it is no node that is migrating, end it: select pg_terminate_backend(…).'

/** A lock of 64 bits is listed as its two halves. */
const holders = `
  pg_catalog.pg_locks left join pg_catalog.pg_stat_activity using (pid)
  where locktype = 'advisory' and granted and (classid::bigint << 32 | objid::bigint) = $1
    and pg_locks.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())`

/** Whether all that hold the advisory lock are connections that requests come by. */
async function areRequests(owner: pg.Client): Promise<boolean> {
  const { rows } = await owner.query<{ are_so: boolean }>(
    `select coalesce(bool_and(pie_private.is_request_login(usename)), true) as are_so from ${holders}`,
    [MIGRATION_LOCK],
  )
  return rows[0]?.are_so === true
}

interface Holder {
  pid: number
  usename: string
  application_name: string
}

async function describeHolder(owner: pg.Client): Promise<string> {
  const { rows } = await owner.query<Holder>(
    `select pid, usename, application_name from ${holders}`,
    [MIGRATION_LOCK],
  )
  return inWords(rows)
}

async function describeHolderOfTable(owner: pg.Client): Promise<string> {
  const { rows } = await owner.query<Holder>(
    `select pid, usename, application_name from pg_catalog.pg_locks left join pg_catalog.pg_stat_activity using (pid)
     where granted and mode = 'ExclusiveLock' and relation = pg_catalog.to_regclass('pie_private.turns')`,
  )
  return inWords(rows)
}

const inWords = ([holder]: readonly Holder[]): string =>
  holder === undefined
    ? 'it has just ended'
    : `the connection ${holder.pid} of the role ${holder.usename} (${holder.application_name})`
