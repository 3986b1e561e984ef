/** A transaction that a request has prepared has no connection that could be ended: it is rolled back, or named. */
import pg from 'pg'

interface Prepared {
  gid: string
  owner: string
  may_become: boolean
  is_granted: boolean
}

/** What is in the way of rolling back may pass: others grant and roll back at the same moment. */
const LOOKS_BEFORE_TELLING = 3

const TRIES_TO_GIVE_BACK = 3

/**
 * Rolls back what requests have prepared and a connection waits for, as the role that prepared it: nobody else may, but a
 * superuser. To be called at every look: it names what cannot be rolled back once that has failed a few times.
 * @param owner the owner's connection, which is not the one that waits
 */
export async function endPrepared(owner: pg.Client, waiter: number): Promise<void> {
  const { rows } = await owner.query<Prepared>(inFrontOf, [waiter])
  for (const prepared of rows) {
    const gid = pg.escapeLiteral(prepared.gid)
    try {
      await asItsRole(owner, prepared, async () => {
        await owner.query(`rollback prepared ${gid}`)
        process.stderr.write(
          `warning: rolled back the transaction ${gid}, which ${prepared.owner} had prepared: it held what this waited for\n`,
        )
      })
    } catch {
      tellWhenItLasts(
        `warning: the transaction ${gid}, which ${prepared.owner} has prepared, holds what this waits for: as a superuser, in this ` +
          `database, rollback prepared ${gid}. pie doctor says what keeps such transactions from coming.\n`,
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
        -- One that lets them become it is another command's, which does the same at this moment. Before 16 there is no such column.
        and to_jsonb(pg_auth_members) ->> 'set_option' = 'false'
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

async function asItsRole(
  owner: pg.Client,
  prepared: Prepared,
  work: () => Promise<void>,
): Promise<void> {
  const role = pg.escapeIdentifier(prepared.owner)
  const is16 = (await owner.query('show server_version_num')).rows[0].server_version_num >= 160000
  // Whoever has made a role may let themselves become it; what was granted before stays.
  if (!prepared.may_become)
    await owner.query(`grant ${role} to current_user${is16 ? ' with set true' : ''}`)
  try {
    await owner.query(`set role ${role}`)
    await work()
  } finally {
    await giveBack(owner, prepared)
  }
}

/** Throws nothing: whether it was rolled back is told already, and this is told beside it. */
async function giveBack(
  owner: pg.Client,
  { owner: role, may_become, is_granted }: Prepared,
): Promise<void> {
  const name = pg.escapeIdentifier(role)
  const statementFor = (member: string) =>
    is_granted ? `grant ${name} to ${member} with set false` : `revoke ${name} from ${member}`
  for (let tries = 1; ; tries += 1)
    try {
      await owner.query('reset role')
      if (!may_become) await owner.query(statementFor('current_user'))
      return
    } catch {
      if (tries < TRIES_TO_GIVE_BACK) continue
      const user = owner.user ?? ''
      if (!may_become)
        process.stderr.write(
          `warning: ${user} let itself become ${role} to roll back a transaction, and could not take that back: ` +
            `${statementFor(pg.escapeIdentifier(user))}\n`,
        )
      return
    }
}

const failures = new Map<string, number>()

function tellWhenItLasts(words: string): void {
  const count = (failures.get(words) ?? 0) + 1
  failures.set(words, count)
  if (count === LOOKS_BEFORE_TELLING) process.stderr.write(words)
}
