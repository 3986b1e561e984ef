/** Where a user has signed in from lately is one row, whichever function started the session, and however many there are. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import type pg from 'pg'
import {
  addPerson,
  addSession,
  hashOf,
  openPeopledDatabase,
  type PeopledDatabase,
  type Person,
  proofOf,
} from './people.ts'

let db: PeopledDatabase
let auth: pg.Client
let emmy: Person
let people = 0
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
})
after(() => db.close())
beforeEach(async () => {
  people += 1
  emmy = await addPerson(db.owner, `emmy${people}`)
})

const HOME = '192.0.2.1/32'
const AWAY = '198.51.100.1'

const start = (address: string | null, userId = emmy.id) =>
  auth.query(
    `select from pie_private.start_session($1, $2, 'token', $3, '{pwd}', '1 hour', '1 day', $4, 'tests')`,
    [userId, randomUUID(), hashOf(proofOf(randomUUID())), address],
  )
const networks = async (): Promise<string[]> => {
  const { rows } = await db.owner.query(
    'select network from pie_private.known_networks where user_id = $1 order by last_seen_at desc, network',
    [emmy.id],
  )
  return rows.map(({ network }) => network)
}
const isKnown = async (network: string, userId = emmy.id): Promise<boolean> =>
  (
    await db.owner.query('select pie_private.is_known_network($1, $2) as is_known', [
      userId,
      network,
    ])
  ).rows[0].is_known
const seenAgo = (interval: string) =>
  db.owner.query(
    'update pie_private.known_networks set last_seen_at = now() - $2::interval where user_id = $1',
    [emmy.id, interval],
  )
const daysUnseen = async (): Promise<number> =>
  (
    await db.owner.query(
      `select extract(day from now() - max(last_seen_at))::int as days from pie_private.known_networks where user_id = $1`,
      [emmy.id],
    )
  ).rows[0].days

test('where a session starts, its user is known, and nobody else is', async () => {
  assert.deepEqual(await networks(), [HOME])
  assert.equal(await isKnown(HOME), true)
  await start(AWAY)
  await start('2001:db8:0:1::7')
  await start('2001:db8:0:1::8')
  await start(null)
  assert.deepEqual((await networks()).sort(), [HOME, `${AWAY}/32`, '2001:db8:0:1::/64'])
  assert.equal(await isKnown(`${AWAY}/32`, db.grace.id), false)
})

test('also where a browser’s session is renewed, and where SQL has made one', async () => {
  const session = await addSession(db.owner, emmy.id, '1 hour', 'browser')
  await db.owner.query(
    `update pie_private.sessions set expires_at = now() - interval '1 day' where id = $1`,
    [session.id],
  )
  const successor = randomUUID()
  await auth.query(
    `select pie_private.renew_session($1, $2, $3, $4, '1 hour', '7 days', '60 seconds', $5, 'Firefox')`,
    [session.id, [session.proof], successor, hashOf(proofOf(successor)), AWAY],
  )
  assert.equal(await isKnown(`${AWAY}/32`), true)
})

test('somebody who acts as the user makes no network the user’s', async () => {
  await db.owner.query(
    `insert into pie_private.sessions (id, user_id, actor_id, kind, proof_hash, expires_at, absolute_expires_at, methods, address)
     values (gen_random_uuid(), $1, $2, 'token', sha256('x'), now() + '1 hour', now() + '1 day', '{pwd}', $3)`,
    [emmy.id, db.dorothy.id, AWAY],
  )
  assert.deepEqual(await networks(), [HOME])
})

test('a network is known for 90 days after it was last seen, and then deleted', async () => {
  await seenAgo('89 days')
  assert.equal(await isKnown(HOME), true)
  await seenAgo('91 days')
  assert.equal(await isKnown(HOME), false)
  await start(AWAY)
  const { rows } = await auth.query('select pie_private.delete_forgotten_networks(100) as count')
  assert.deepEqual(rows, [{ count: 1 }])
  assert.deepEqual(await networks(), [`${AWAY}/32`])
})

test('a session in use keeps it known, by a visit and by a refresh, and writes that once a day', async () => {
  const { id, proof } = emmy.session
  const visit = () =>
    auth.query(`select pie_private.visit_session($1, $2, '1 hour')`, [id, [proof]])
  let generation = 0
  const refresh = () =>
    auth.query(`select pie_private.refresh_session($1, $2, $3, '1 hour', '30 seconds', $4)`, [
      id,
      [proof],
      generation++,
      AWAY,
    ])
  const unvisited = () =>
    db.owner.query(
      `update pie_private.sessions set last_seen_at = now() - interval '10 minutes' where id = $1`,
      [id],
    )
  for (const use of [visit, refresh]) {
    await seenAgo('2 days')
    await unvisited()
    await use()
    assert.equal(await daysUnseen(), 0)
    await seenAgo('23 hours')
    const { rows: before } = await db.owner.query('select xmin from pie_private.known_networks')
    await unvisited()
    await use()
    assert.deepEqual(
      (await db.owner.query('select xmin from pie_private.known_networks')).rows,
      before,
    )
  }
  // Where it is used from is not where it was signed in from: a thief does not make a network known.
  assert.deepEqual(await networks(), [HOME])
})

test('a session that was there before makes its network known by its next use', async () => {
  await db.owner.query('delete from pie_private.known_networks where user_id = $1', [emmy.id])
  await auth.query(`select pie_private.refresh_session($1, $2, 0, '1 hour', '30 seconds', $3)`, [
    emmy.session.id,
    [emmy.session.proof],
    AWAY,
  ])
  assert.deepEqual(await networks(), [HOME])
})

test('nor does that wait for somebody who deletes the user', async () => {
  await db.owner.query('delete from pie_private.known_networks where user_id = $1', [emmy.id])
  await db.owner.query('begin')
  try {
    await db.owner.query('select from pie_schema.users where id = $1 for update', [emmy.id])
    await auth.query(`set statement_timeout = '5s'`)
    await auth.query(`select pie_private.refresh_session($1, $2, 0, '1 hour', '30 seconds', $3)`, [
      emmy.session.id,
      [emmy.session.proof],
      AWAY,
    ])
  } finally {
    await db.owner.query('rollback')
    await auth.query('reset statement_timeout')
  }
  assert.deepEqual(await networks(), [])
})

test('a visit waits for nobody who holds the network’s row', async () => {
  await seenAgo('2 days')
  await db.owner.query('begin')
  try {
    await db.owner.query('select from pie_private.known_networks for update')
    await auth.query(`set statement_timeout = '5s'`)
    await auth.query(
      `select pie_private.refresh_session($1, $2, 0, '1 hour', '30 seconds', '192.0.2.1')`,
      [emmy.session.id, [emmy.session.proof]],
    )
  } finally {
    await db.owner.query('rollback')
    await auth.query('reset statement_timeout')
  }
})

test('they go with their user', async () => {
  await db.owner.query('select pie_private.delete_user($1)', [emmy.email])
  assert.deepEqual(await networks(), [])
})
