import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import type pg from 'pg'
import {
  addSession,
  guessedProof,
  hashOf,
  openPeopledDatabase,
  type PeopledDatabase,
  type Session,
} from './people.ts'
import { assertNothingChanges } from './refusals.ts'

/** What a node caches of a session: read by whoever proves it, and visited when it is in use. */
let db: PeopledDatabase
let auth: pg.Client
let cream: pg.Client
let session: Session
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
  cream = await db.connectAs('cream')
})
after(() => db.close())
beforeEach(async () => {
  session = await addSession(db.owner, db.ada.id, '1 hour', 'browser')
})

const read = async (id = session.id, proof: Buffer | null = session.proof) =>
  (await cream.query('select pie_private.read_session($1, $2) as found', [id, proof])).rows[0].found

const visit = async (proofs: Buffer[] = [session.proof], lifetime = '2 hours') =>
  (
    await auth.query('select pie_private.visit_session($1, $2, $3) as found', [
      session.id,
      proofs,
      lifetime,
    ])
  ).rows[0].found

const set = (assignments: string) =>
  db.owner.query(`update pie_private.sessions set ${assignments} where id = $1`, [session.id])

async function row() {
  const { rows } = await db.owner.query(
    `select *, extract(epoch from expires_at - now())::int as seconds_left from pie_private.sessions where id = $1`,
    [session.id],
  )
  return rows[0]
}

const unseenFor = (interval: string) => set(`last_seen_at = now() - interval '${interval}'`)

test('a proven session is read with its user, the versions of both, and the time of the reading', async () => {
  await set('assurance_level = 2')
  const { rows } = await db.owner.query(
    `select extract(epoch from clock_timestamp()) * 1000 as now, description, version from pie_schema.users
     join pie_schema.user_descriptions using (id) where id = $1`,
    [db.ada.id],
  )
  const found = await read()
  assert.deepEqual(Object.keys(found.session).sort(), [
    'absolute_expires_at',
    'assurance_level',
    'created_at',
    'expires_at',
    'id',
    'kind',
    'last_seen_at',
    'methods',
  ])
  const { id, kind, assurance_level, methods } = found.session
  assert.deepEqual(
    { id, kind, assurance_level, methods },
    { id: session.id, kind: 'browser', assurance_level: 2, methods: ['pwd'] },
  )
  assert.deepEqual(found.user, rows[0].description)
  assert.deepEqual(
    [found.session_version, found.user_version, found.is_expired],
    [2, Number(rows[0].version), false],
  )
  assert.ok(found.read_at >= Number(rows[0].now))
})

test('the time of the reading is from before it looked, however long its transaction has been open', async () => {
  await cream.query('begin')
  await cream.query('select 1')
  await set('assurance_level = 3')
  const { rows } = await db.owner.query(
    'select extract(epoch from clock_timestamp()) * 1000 as changed_at',
  )
  const found = await read()
  await cream.query('commit')
  assert.equal(found.session_version, 2)
  assert.ok(found.read_at < Number(rows[0].changed_at))
})

/** As a node sends it: it notifies, and says in which snapshot it has looked. */
async function heartbeat(): Promise<number> {
  const { rows } = await db.owner.query(
    `select pg_notify('nobody', ''), pg_snapshot_xmax(pg_current_snapshot()) as transaction`,
  )
  return Number(rows[0].transaction)
}

test('the count of transactions says whether it looked after a heartbeat, whatever clocks say', async () => {
  const first = await heartbeat()
  assert.ok((await read()).read_after > first)
  assert.ok((await read()).read_after > first)
  await cream.query('begin isolation level repeatable read')
  assert.ok((await read()).read_after > first)
  const second = await heartbeat()
  await set('assurance_level = 3')
  const readBefore = await read()
  await cream.query('commit')
  assert.equal(readBefore.session_version, 1)
  assert.ok(readBefore.read_after <= second)
  assert.ok((await read()).read_after > second)
})

test('a wrong, missing or foreign proof reads nothing', async () => {
  assert.notEqual(await read(), null)
  const { proof_hash } = await row()
  for (const proof of [guessedProof(), Buffer.alloc(0), null, db.grace.session.proof, proof_hash])
    assert.equal(await read(session.id, proof), null)
  assert.equal(await read(db.grace.session.id), null)
  assert.equal(await read(randomUUID()), null)
  assert.equal(await read(null as unknown as string), null)
})

test('one that has expired is read as such; one that is revoked or past its limit is not', async () => {
  await set('expires_at = now()')
  assert.equal((await read()).is_expired, true)
  await set('absolute_expires_at = now()')
  assert.equal(await read(), null)
  await set(`absolute_expires_at = now() + interval '1 day', expires_at = now() + interval '1 day'`)
  assert.notEqual(await read(), null)
  await set(`revoked_at = now(), revoked_reason = 'logout'`)
  assert.equal(await read(), null)
})

test('a visit is written after five minutes, and moves a browser on, a token not', async () => {
  await assertNothingChanges(db.owner, async () => {
    assert.equal((await visit()).session.id, session.id)
  })
  await unseenFor('4 minutes 50 seconds')
  await assertNothingChanges(db.owner, () => visit())
  await unseenFor('5 minutes 1 second')
  const found = await visit()
  const { version, seconds_left, last_seen_at } = await row()
  assert.deepEqual([version, found.session_version], ['4', 4])
  assert.ok(seconds_left > 7190 && seconds_left <= 7200, seconds_left)
  assert.equal(Date.parse(found.session.last_seen_at), last_seen_at.getTime())

  session = await addSession(db.owner, db.ada.id)
  await unseenFor('1 hour')
  const { seconds_left: before } = await row()
  await visit()
  const after = await row()
  assert.ok(after.seconds_left <= before && after.version === '3', after.seconds_left)
})

test('no visit moves a session past its absolute limit', async () => {
  await unseenFor('1 hour')
  await visit([session.proof], '10 years')
  const { expires_at, absolute_expires_at } = await row()
  assert.deepEqual(expires_at, absolute_expires_at)
})

test('a visit puts the proof under the first key at once, and the older proof opens nothing more', async () => {
  const first = guessedProof()
  const found = await visit([first, session.proof])
  assert.equal(found.session.id, session.id)
  assert.deepEqual((await row()).proof_hash, hashOf(first))
  assert.equal(await read(), null)
  await assertNothingChanges(db.owner, async () => assert.equal(await visit(), null))
  assert.notEqual(await visit([first]), null)
})

test('who does not prove a session, or whose has ended, visits nothing', async () => {
  await unseenFor('1 hour')
  await assertNothingChanges(db.owner, async () => {
    for (const proofs of [[guessedProof()], [], [db.grace.session.proof, guessedProof()]])
      assert.equal(await visit(proofs), null)
  })
  for (const assignments of [
    'expires_at = now()',
    'absolute_expires_at = now()',
    `revoked_at = now(), revoked_reason = 'logout'`,
  ]) {
    await set(assignments)
    await assertNothingChanges(db.owner, async () =>
      assert.notEqual((await visit())?.is_expired, false, assignments),
    )
  }
})

test('of visits at once one is written', async () => {
  await unseenFor('1 hour')
  const clients = await Promise.all(Array.from({ length: 6 }, () => db.connectAs('pie_auth')))
  const sql = `select pie_private.visit_session($1, $2, '1 hour') as found`
  const found = await Promise.all(
    clients.map((client) => client.query(sql, [session.id, [session.proof]])),
  )
  assert.equal((await row()).version, '3')
  for (const { rows } of found) assert.equal(rows[0].found.session_version, 3)
})
