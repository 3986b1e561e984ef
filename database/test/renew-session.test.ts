import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import type pg from 'pg'
import {
  addPerson,
  addSession,
  guessedProof,
  hashOf,
  openPeopledDatabase,
  type PeopledDatabase,
  type Person,
  proofOf,
  type Session,
} from './people.ts'
import { assertNothingChanges } from './refusals.ts'

let db: PeopledDatabase
let auth: pg.Client
let emmy: Person
let session: Session
let people = 0
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
})
after(() => db.close())
beforeEach(async () => {
  people += 1
  emmy = await addPerson(db.owner, `emmy${people}`)
  session = await addSession(db.owner, emmy.id, '1 hour', 'browser')
  await set(`expires_at = now() - interval '1 day'`)
})

const set = (assignments: string, id = session.id) =>
  db.owner.query(`update pie_private.sessions set ${assignments} where id = $1`, [id])

const rowOf = async (id: string) =>
  (
    await db.owner.query(
      `select *, extract(epoch from expires_at - now())::int as seconds_left from pie_private.sessions where id = $1`,
      [id],
    )
  ).rows[0]

async function renew({ id, proof }: Session = session, proofs = [proof], lifetime = '2 hours') {
  const successor = randomUUID()
  const { rows } = await auth.query(
    `select pie_private.renew_session($1, $2, $3, $4, $5, '7 days', '60 seconds', '198.51.100.1', 'Firefox') as found`,
    [id, proofs, successor, hashOf(proofOf(successor)), lifetime],
  )
  return rows[0].found
}

const assertNotRenewed = (message: string, ...given: Parameters<typeof renew>) =>
  assertNothingChanges(db.owner, async () => assert.equal(await renew(...given), null, message))

test('a browser that expired within the window goes on as a successor, with what it was', async () => {
  await set(`assurance_level = 2, methods = '{pwd,otp}', scopes = '{read}', actor_id = user_id`)
  const found = await renew()
  const [old, next] = [await rowOf(session.id), await rowOf(found.session.id)]
  assert.notEqual(next.id, session.id)
  assert.equal(old.successor_id, next.id)
  assert.equal(old.revoked_at, null)
  for (const kept of ['user_id', 'kind', 'assurance_level', 'methods', 'scopes', 'actor_id'])
    assert.deepEqual(next[kept], old[kept], kept)
  assert.deepEqual(next.absolute_expires_at, old.absolute_expires_at)
  assert.deepEqual(next.proof_hash, hashOf(proofOf(next.id)))
  assert.deepEqual([next.address, next.user_agent], ['198.51.100.1', 'Firefox'])
  assert.ok(next.seconds_left > 7190 && next.seconds_left <= 7200)
  assert.deepEqual(
    [found.is_expired, found.user.id, found.session_version, found.session.assurance_level],
    [false, emmy.id, 1, 2],
  )
  const { rows } = await db.owner.query(
    `select event, session_id, address, detail from pie_private.audit_log
     where user_id = $1 and event = 'session.renewed'`,
    [emmy.id],
  )
  assert.deepEqual(rows, [
    {
      event: 'session.renewed',
      session_id: session.id,
      address: '198.51.100.1',
      detail: { successor: next.id },
    },
  ])
})

test('every retry inside the retry window gets the same successor and makes nothing', async () => {
  const { session: successor } = await renew()
  await assertNothingChanges(db.owner, async () => {
    for (let retry = 0; retry < 3; retry++) assert.equal((await renew()).session.id, successor.id)
  })
  await set(`created_at = now() - interval '59 seconds'`, successor.id)
  assert.equal((await renew()).session.id, successor.id)
})

test('a replay outside the retry window, or of one whose successor has ended, gets nothing', async () => {
  const { session: successor } = await renew()
  await set(`created_at = now() - interval '61 seconds'`, successor.id)
  await assertNotRenewed('outside the window')
  await set(`created_at = now(), revoked_at = now(), revoked_reason = 'logout'`, successor.id)
  await assertNotRenewed('the successor was signed out')
})

test('no renewal passes the absolute limit, in whichever generation', async () => {
  await set(`absolute_expires_at = now() + interval '30 minutes'`)
  const { session: second } = await renew()
  assert.equal(second.expires_at, second.absolute_expires_at)
  await set(`expires_at = now() - interval '1 second'`, second.id)
  const { session: third } = await renew({ id: second.id, proof: proofOf(second.id) })
  assert.equal(third.absolute_expires_at, second.absolute_expires_at)
  assert.equal(third.expires_at, second.absolute_expires_at)
  const past = `expires_at = now() - interval '2 seconds', absolute_expires_at = now() - interval '1 second'`
  await set(past, third.id)
  await assertNotRenewed('past the limit', { id: third.id, proof: proofOf(third.id) })
})

test('what has not expired, expired too long ago, was revoked, or is no browser’s is not renewed', async () => {
  for (const assignments of [
    `expires_at = now() + interval '1 minute'`,
    `expires_at = now() - interval '7 days 1 second'`,
    `expires_at = now() - interval '1 day', kind = 'token'`,
    `kind = 'api_key'`,
    `kind = 'oauth'`,
    `kind = 'browser', revoked_at = now(), revoked_reason = 'logout'`,
  ]) {
    await set(assignments)
    await assertNotRenewed(assignments)
  }
  await set(
    `revoked_at = null, revoked_reason = null, expires_at = now() - interval '6 days 23 hours'`,
  )
  assert.notEqual(await renew(), null)
})

test('a user who was disabled has nothing to renew, and not when they are enabled again either', async () => {
  const disable = (value: string) =>
    db.owner.query(`update pie_schema.users set disabled_at = ${value} where id = $1`, [emmy.id])
  await disable('now()')
  await assertNotRenewed('disabled')
  await disable('null')
  await assertNotRenewed('enabled again')
  // As it might stand in a database that was put together from a backup.
  await set('revoked_at = null, revoked_reason = null')
  await db.owner.query('begin')
  await db.owner.query('set local session_replication_role = replica')
  await db.owner.query(
    'alter table pie_schema.users disable trigger users_end_sessions_when_disabled',
  )
  await disable('now()')
  await db.owner.query(
    'alter table pie_schema.users enable always trigger users_end_sessions_when_disabled',
  )
  await db.owner.query('commit')
  await assertNotRenewed('disabled, with a session that was not ended')
})

test('nobody renews who does not prove the session', async () => {
  const { proof_hash } = await rowOf(session.id)
  for (const proofs of [[], [guessedProof()], [emmy.session.proof], [proof_hash]])
    await assertNotRenewed('unproven', session, proofs)
  await assertNotRenewed('unknown', { id: randomUUID(), proof: session.proof })
  assert.notEqual(await renew(session, [guessedProof(), session.proof]), null, 'an older key')
})
