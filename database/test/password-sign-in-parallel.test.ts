import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import type pg from 'pg'
import {
  hashOf,
  openPeopledDatabase,
  type PeopledDatabase,
  proofOf,
  someHash,
  untilItWaits,
} from './people.ts'

let db: PeopledDatabase
before(async () => {
  db = await openPeopledDatabase()
})
after(() => db.close())
beforeEach(() => db.owner.query('delete from pie_private.throttles'))

const begin = (client: pg.Client, address: string, email = 'ada@example.com') =>
  client.query('select wait_seconds from pie_private.begin_password_sign_in($1, $2)', [
    email,
    address,
  ])

const complete = (client: pg.Client, address: string) => {
  const id = randomUUID()
  return client.query(
    `select * from pie_private.complete_password_sign_in($1, 'ada@example.com', $2, $3, 'token', $4, '1 hour', '30 days', $5, 'tests')`,
    [db.ada.id, someHash, id, hashOf(proofOf(id)), address],
  )
}

test('60 attempts of one network at once, over 60 connections, count as 60: 10 are made', async () => {
  const clients = await Promise.all(Array.from({ length: 60 }, () => db.connectAs('pie_auth')))
  const results = await Promise.all(clients.map((client) => begin(client, '198.51.100.1')))
  assert.equal(results.filter(({ rows }) => rows[0].wait_seconds === null).length, 10)

  await db.owner.query('delete from pie_private.throttles')
  const spread = await Promise.all(clients.map((client, index) => begin(client, `10.0.${index}.1`)))
  assert.equal(spread.filter(({ rows }) => rows[0].wait_seconds === null).length, 50)

  await db.owner.query('delete from pie_private.throttles')
  const accounts = await Promise.all(
    [0, 1].flatMap((half) =>
      clients.map((client, index) =>
        begin(client, '198.51.100.1', `u${half}-${index}@example.com`),
      ),
    ),
  )
  assert.equal(accounts.filter(({ rows }) => rows[0].wait_seconds === null).length, 100)
})

test('signing in twice at once from one place is no deadlock: neither waits for what the other holds', async () => {
  const [first, second, third] = [
    await db.connectAs('pie_auth'),
    await db.connectAs('pie_auth'),
    await db.connectAs('pie_auth'),
  ]
  const here = '198.51.100.1'
  await begin(first, here)
  // Another attempt on the account, whose transaction is still open, holds up the first's completion.
  await third.query('begin')
  await begin(third, '198.51.100.2')
  const completing = complete(first, here)
  await untilItWaits(db.owner, first, completing)
  const beginning = begin(second, here)
  await untilItWaits(db.owner, second, beginning)
  await third.query('commit')
  const [completed, begun] = await Promise.all([completing, beginning])
  assert.equal(completed.rowCount, 1)
  assert.equal(begun.rows[0].wait_seconds, null)
})

test('an attempt clears nothing away: that is nobody’s who waits for an answer', async () => {
  const client = await db.connectAs('pie_auth')
  await begin(client, '198.51.100.77', 'y@example.com')
  await db.owner.query(`update pie_private.throttles set empty_at = now() - interval '1 day'`)
  await begin(client, '198.51.100.2', 'x@example.com')
  await client.query(`select pie_private.begin_registration('198.51.100.3')`)
  const { rows } = await db.owner.query(
    `select count(*)::int as count from pie_private.throttles where empty_at < now()`,
  )
  assert.deepEqual(rows, [{ count: 3 }])
})
