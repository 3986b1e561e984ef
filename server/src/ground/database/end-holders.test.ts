import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import {
  authenticate,
  openPeopledDatabase,
  type PeopledDatabase,
} from '../../../../database/test/people.ts'
import { until, untilWaiting } from '../../../../test/harness/nodes.ts'
import { endHolders, notHeldUp } from './end-holders.ts'

let db: PeopledDatabase
before(async () => {
  db = await openPeopledDatabase()
  await db.owner.query(
    'create schema app; create table app.things (note text); grant usage on schema app to webuser; grant select on app.things to webuser',
  )
})
after(() => db.close())

const pidOf = (client: pg.Client): number => (client as unknown as { processID: number }).processID

/** Who looks, as a node does. */
async function look(patienceMs: number): Promise<unknown[]> {
  const auth = await db.connectAs('pie_auth')
  const { name: _, text, values } = endHolders(patienceMs)
  return (await auth.query(text, [...values])).rows
}

async function hold(client: pg.Client, sql: string): Promise<void> {
  await client.query('begin')
  await authenticate(client, db.ada.session)
  await client.query(sql)
}

const isThere = async (client: pg.Client): Promise<boolean> =>
  (await db.owner.query('select from pg_stat_activity where pid = $1', [pidOf(client)]))
    .rowCount === 1

/** How many wait for longer than that. */
async function waitingFor(time: string): Promise<number> {
  const { rows } = await db.owner.query(
    'select count(*)::integer as count from pg_locks where not granted and waitstart < clock_timestamp() - $1::interval',
    [time],
  )
  return rows[0].count
}

test('a change of tables goes on behind a request that has read one and does not end', async () => {
  const cream = await db.connectAs('cream')
  await hold(cream, 'select from app.things')
  const owner = await db.connectAs('owner')
  await notHeldUp(owner, () => owner.query('alter table app.things add column more text'), 300)
  await until(async () => !(await isThere(cream)))
})

test('what is no request is waited for, whatever it holds', async () => {
  const [holder, owner] = [await db.connectAs('owner'), await db.connectAs('owner')]
  await holder.query('begin; select from pie_schema.users for update')
  const revoking = notHeldUp(owner, () =>
    owner.query(`select pie_private.revoke_sessions(null, 'ada@example.com')`),
  )
  await untilWaiting(db.owner, 1)
  await until(async () => (await waitingFor('1 s')) > 0)
  assert.deepEqual(await look(0), [])
  assert.ok(await isThere(holder))
  await holder.query('rollback')
  await revoking
})

test('a request that merely waits before somebody is not ended, and who holds is', async () => {
  const [holder, fellow, last] = [
    await db.connectAs('cream'),
    await db.connectAs('cream'),
    await db.connectAs('owner'),
  ]
  const session = db.ada.session
  await db.owner.query('update pie_private.sessions set revoked_at = null, revoked_reason = null')
  await hold(holder, 'select from pie_schema.users for update')
  await fellow.query('begin')
  await authenticate(fellow, session)
  const waiting = fellow.query(
    `update pie_schema.users set name = 'Ada' where id = pie_schema.current_user_id()`,
  )
  await untilWaiting(db.owner, 1)
  const behind = last.query('begin; select from pie_schema.users for no key update; rollback')
  await untilWaiting(db.owner, 2)
  await until(async () => (await waitingFor('300 ms')) > 1)
  await look(300)
  await waiting
  assert.ok(!(await isThere(holder)))
  assert.ok(await isThere(fellow))
  await fellow.query('commit')
  await behind
})

test('what waits for rows that are not Pie’s is left alone', async () => {
  await db.owner.query(
    `insert into app.things (note) values ('one'); grant update on app.things to webuser`,
  )
  const [holder, other] = [await db.connectAs('cream'), await db.connectAs('cream')]
  await hold(holder, `update app.things set note = 'two'`)
  await other.query('begin')
  await authenticate(other, db.grace.session)
  const waiting = other.query(`update app.things set note = 'three'`)
  await untilWaiting(db.owner, 1)
  assert.deepEqual(await look(0), [])
  await holder.query('commit')
  await waiting
  await other.query('commit')
})

test('the login that an operator has in cream’s place is ended too, and a person who may become webuser is not', async () => {
  for (const [name, kind, isRequest] of [
    ['its_requests', 'noinherit', true],
    ['somebody', 'inherit', false],
  ] as const) {
    await db.owner.query(
      `create role ${name}_${process.pid} login ${kind}; grant webuser, webadmin to ${name}_${process.pid}`,
    )
    try {
      const { rows } = await db.owner.query('select pie_private.is_request_login($1) as is_so', [
        `${name}_${process.pid}`,
      ])
      assert.equal(rows[0].is_so, isRequest, name)
    } finally {
      await db.owner.query(`drop role ${name}_${process.pid}`)
    }
  }
  const { rows } = await db.owner.query(
    `select rolname from pg_roles where pie_private.is_request_login(rolname) and rolname !~ '^its_requests'`,
  )
  assert.deepEqual(rows, [{ rolname: 'cream' }])
})
