/** A transaction that a request has prepared has no connection that could be ended: it is rolled back, or named. */
import pg from 'pg'

interface Prepared {
  gid: string
  owner: string
  may_become: boolean
  is_granted: boolean
}

/**
 * Rolls back what requests have prepared and a connection waits for, as the role that prepared it: nobody else may, but a
 * superuser.
 * @param owner the owner's connection, which is not the one that waits
 */
export async function endPrepared(owner: pg.Client, waiter: number): Promise<void> {
  const { rows } = await owner.query<Prepared>(inFrontOf, [waiter])
  for (const prepared of rows) {
    const { gid, owner: role } = prepared
    try {
      await rollBack(owner, prepared)
      process.stderr.write(
        `warning: rolled back the transaction ${pg.escapeLiteral(gid)}, which ${role} had prepared: it held what this waited for\n`,
      )
    } catch {
      tellOnce(
        `warning: the transaction ${pg.escapeLiteral(gid)}, which ${role} has prepared, holds what this waits for: as a superuser, in this ` +
          `database, rollback prepared ${pg.escapeLiteral(gid)}. pie doctor says what keeps such transactions from coming.\n`,
      )
    }
  }
}

/** Process 0 is that of none. */
const inFrontOf = `
  with recursive chain (pid) as (
    select $1::integer
    union
    select blocking.pid from chain, unnest(case when chain.pid > 0 then pg_catalog.pg_blocking_pids(chain.pid) end) as blocking (pid)
  )
  select prepared.gid, prepared.owner,
    pg_catalog.pg_has_role(prepared.owner, case when current_setting('server_version_num')::integer >= 160000 then 'SET' else 'MEMBER' end) as may_become,
    exists (
      select from pg_catalog.pg_auth_members
      where roleid = quote_ident(prepared.owner)::regrole and member = quote_ident(current_user)::regrole and grantor = member
    ) as is_granted
  from pg_catalog.pg_prepared_xacts as prepared
  where prepared.database = current_database()
    and (prepared.owner in ('webuser', 'webadmin') or pie_private.is_request_login(prepared.owner))
    and exists (
      select from chain
      join pg_catalog.pg_locks as waiting on waiting.pid = chain.pid and not waiting.granted
      join pg_catalog.pg_locks as own on own.pid is null and own.transactionid = prepared.transaction
      join pg_catalog.pg_locks as held on held.pid is null and held.virtualtransaction = own.virtualtransaction
        and held.locktype = waiting.locktype
        and (held.database, held.relation, held.transactionid, held.classid, held.objid, held.objsubid)
          is not distinct from (waiting.database, waiting.relation, waiting.transactionid, waiting.classid, waiting.objid, waiting.objsubid)
    )`

async function rollBack(
  owner: pg.Client,
  { gid, owner: role, may_become, is_granted }: Prepared,
): Promise<void> {
  const name = pg.escapeIdentifier(role)
  const is16 = (await owner.query('show server_version_num')).rows[0].server_version_num >= 160000
  // Whoever has made a role may let themselves become it; what was granted before stays.
  if (!may_become) await owner.query(`grant ${name} to current_user${is16 ? ' with set true' : ''}`)
  try {
    await owner.query(`set role ${name}`)
    await owner.query(`rollback prepared ${pg.escapeLiteral(gid)}`)
  } finally {
    await owner.query('reset role')
    if (!may_become)
      await owner.query(
        is16 && is_granted
          ? `grant ${name} to current_user with set false`
          : `revoke ${name} from current_user`,
      )
  }
}

const told = new Set<string>()

function tellOnce(words: string): void {
  if (!told.has(words)) process.stderr.write(words)
  told.add(words)
}
