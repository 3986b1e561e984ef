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

test('who waits in front of somebody is ended with all that wait there, and whoever holds after them', async () => {
  const holder = await db.connectAs('cream')
  await db.owner.query('update pie_private.sessions set revoked_at = null, revoked_reason = null')
  await hold(holder, 'select from pie_schema.users for update')
  const queue: pg.Client[] = []
  for (let place = 1; place <= 8; place += 1) {
    const thief = await db.connectAs('cream')
    await thief.query('begin')
    await authenticate(thief, db.ada.session)
    void thief.query('select from pie_schema.users for update').catch(() => {})
    await untilWaiting(db.owner, place)
    queue.push(thief)
  }
  const last = await db.connectAs('owner')
  const behind = last.query('begin; select from pie_schema.users for no key update; rollback')
  await untilWaiting(db.owner, 9)
  await until(async () => (await waitingFor('300 ms')) > 8)
  assert.equal((await look(300)).length, 9)
  await behind
  for (const thief of [holder, ...queue]) assert.ok(!(await isThere(thief)))
})

test('a request that waits ends nobody; and where it is ended itself, whom it waited for goes on', async () => {
  const [innocent, thief, last] = [
    await db.connectAs('cream'),
    await db.connectAs('cream'),
    await db.connectAs('owner'),
  ]
  await hold(innocent, 'select pg_advisory_xact_lock(1)')
  await hold(thief, 'select from pie_schema.users for update')
  void thief.query('select pg_advisory_xact_lock(1)').catch(() => {})
  await untilWaiting(db.owner, 1)
  await until(async () => (await waitingFor('300 ms')) > 0)
  assert.deepEqual(await look(300), [])
  const behind = last.query('begin; select from pie_schema.users for no key update; rollback')
  await untilWaiting(db.owner, 2)
  await until(async () => (await waitingFor('300 ms')) > 1)
  await look(300)
  await behind
  assert.ok(!(await isThere(thief)))
  assert.ok(await isThere(innocent))
  await innocent.query('commit')
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
