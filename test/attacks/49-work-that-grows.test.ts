/** ATTACKS 49: what an account has is told by no time, and nothing that is over stays. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import { openPeopledDatabase, type PeopledDatabase, someHash } from '../../database/test/people.ts'

let db: PeopledDatabase
let auth: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
})
after(() => db.close())

const tables = ['sessions', 'audit_log', 'known_networks', 'throttles', 'passwords']

/** How many rows, also of indexes, the statement looks at. Postgres counts them itself. */
async function rowsLookedAt(statement: string, values: unknown[]): Promise<number> {
  const read = async () => {
    await auth.query('select pg_stat_force_next_flush()')
    await db.owner.query('select pg_stat_clear_snapshot()')
    const { rows } = await db.owner.query(
      `select (sum(idx_tup_fetch) + sum(seq_tup_read))::int as count from pg_stat_user_tables
       where schemaname in ('pie_private', 'pie_schema')`,
    )
    return rows[0].count as number
  }
  // Plans that are made for the first arguments look further.
  for (let call = 0; call < 7; call++) {
    await auth.query(statement, values)
    await db.owner.query('delete from pie_private.throttles')
  }
  const before = await read()
  await auth.query(statement, values)
  return (await read()) - before
}

const begin = 'select * from pie_private.begin_password_sign_in($1, $2)'

test('an attempt looks at as many rows whatever the account has, known or not, let through or not', async () => {
  const looks = async (email: string, address: string) => rowsLookedAt(begin, [email, address])
  const away = '203.0.113.1'
  const before = await looks(db.ada.email, away)
  await db.owner.query(
    `insert into pie_private.sessions (id, user_id, kind, proof_hash, expires_at, absolute_expires_at, methods, address)
     select gen_random_uuid(), $1, 'token', sha256('x'), now() + '1 day', now() + '1 day', '{pwd}', inet '10.0.0.0' + n
     from generate_series(1, 5000) as n`,
    [db.ada.id],
  )
  await db.owner.query(
    `insert into pie_private.audit_log (event, user_id) select 'test.line', $1 from generate_series(1, 5000)`,
    [db.ada.id],
  )
  for (const analyzed of [false, true]) {
    if (analyzed) for (const table of tables) await db.owner.query(`analyze pie_private.${table}`)
    assert.equal(await looks(db.ada.email, away), before)
  }
})

test('signing in does, too, and so does a failure', async () => {
  const complete = `select * from pie_private.complete_password_sign_in($1, $2, $3, gen_random_uuid(), 'token', sha256('x'), '1 hour', '1 day', $4, 'tests')`
  const completing = (who: PeopledDatabase['ada']) =>
    rowsLookedAt(complete, [who.id, who.email, someHash, '192.0.2.1'])
  assert.equal(await completing(db.ada), await completing(db.grace))
  const failing = (id: string | null) =>
    rowsLookedAt('select pie_private.fail_password_sign_in($1, $2)', [id, '192.0.2.1'])
  assert.equal(await failing(db.ada.id), await failing(null))
})
