import pg from 'pg'
import { OperatorError } from '../errors.ts'

/** The advisory lock of whoever prepares a database: "pie" and the number of the lock. */
const MIGRATION_LOCK = 0x7069650001

/** How long another may take. Whoever has waited in vain is told who that is. */
const WAIT = '60s'

/**
 * Takes turns: of several nodes that start at once on one database, one works here at a time, and the
 * later ones find little left to do.
 *
 * @throws OperatorError when somebody else does not finish: a long migration, or SQL that got in through a
 *   hole and took the lock, which anybody may who can run any
 */
export async function withAdvisoryLock<T>(
  owner: pg.Client,
  work: () => Promise<T>,
  wait: string = WAIT,
): Promise<T> {
  await takeLock(owner, wait)
  try {
    return await work()
  } finally {
    await owner.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK])
  }
}

async function takeLock(owner: pg.Client, wait: string): Promise<void> {
  await owner.query("select set_config('lock_timeout', $1, false)", [wait])
  try {
    await owner.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
  } catch (cause) {
    // SQLSTATE 55P03, lock_not_available
    if (!(cause instanceof pg.DatabaseError) || cause.code !== '55P03') throw cause
    throw new OperatorError(
      `Somebody else has been preparing this database for ${wait}: ${await describeHolder(owner)}. ` +
        'If it is no node that is migrating, end it: select pg_terminate_backend(…).',
      { cause },
    )
  } finally {
    await owner.query('reset lock_timeout')
  }
}

async function describeHolder(owner: pg.Client): Promise<string> {
  // A lock of 64 bits is listed as its two halves.
  const { rows } = await owner.query<{ pid: number; usename: string; application_name: string }>(
    `select pid, usename, application_name from pg_locks left join pg_stat_activity using (pid)
     where locktype = 'advisory' and granted and (classid::bigint << 32 | objid::bigint) = $1
       and pg_locks.database = (select oid from pg_database where datname = current_database())`,
    [MIGRATION_LOCK],
  )
  const [holder] = rows
  return holder === undefined
    ? 'it has just ended'
    : `the connection ${holder.pid} of the role ${holder.usename} (${holder.application_name})`
}
