import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import type pg from 'pg'
import {
  addSession,
  authenticate,
  guessedProof,
  hashOf,
  openPeopledDatabase,
  type PeopledDatabase,
  type Session,
} from './people.ts'
import { assertNothingChanges, assertRefused, invalidAuthorization } from './refusals.ts'

let db: PeopledDatabase
let auth: pg.Client
let session: Session
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
})
after(() => db.close())
beforeEach(async () => {
  session = await addSession(db.owner, db.ada.id)
})

async function refresh(
  generation: number,
  { client = auth, id = session.id, proofs = [session.proof], lifetime = '1 hour' } = {},
) {
  const { rows } = await client.query(
    `select * from pie_private.refresh_session($1, $2, $3, $4, '30 seconds', '198.51.100.1')`,
    [id, proofs, generation, lifetime],
  )
  assert.equal(rows.length, 1)
  return rows[0]
}

const setSession = (assignments: string) =>
  db.owner.query(`update pie_private.sessions set ${assignments} where id = $1`, [session.id])

async function read() {
  const { rows } = await db.owner.query('select * from pie_private.sessions where id = $1', [
    session.id,
  ])
  return rows[0]
}

const nothing = {
  current_generation: null,
  refreshed_at: null,
  expires_at: null,
  user: null,
}

async function assertRefusedRefresh(
  generation: number,
  options: Parameters<typeof refresh>[1] = {},
): Promise<void> {
  await assertNothingChanges(db.owner, async () => {
    assert.deepEqual(await refresh(generation, options), { outcome: 'refused', ...nothing })
  })
}

test('the current generation moves the session on and prolongs it', async () => {
  await setSession(`expires_at = now() + interval '1 minute'`)
  const rotated = await refresh(0)
  assert.deepEqual([rotated.outcome, rotated.current_generation], ['rotated', 1])
  assert.equal(rotated.user.email, db.ada.email)
  const row = await read()
  assert.deepEqual(
    [row.refresh_generation, row.refreshed_at, row.expires_at],
    [1, rotated.refreshed_at, rotated.expires_at],
  )
  assert.equal(row.expires_at - row.refreshed_at, 3600_000)
  assert.equal((await refresh(1)).current_generation, 2)
})

test('the generation before, inside the retry window, gets the same answer again and changes nothing', async () => {
  const rotated = await refresh(0)
  await assertNothingChanges(db.owner, async () => {
    const repeated = await refresh(0)
    assert.deepEqual(repeated, { ...rotated, outcome: 'repeated' })
    assert.deepEqual(await refresh(0), repeated)
  })
})

test('the generation before, after the window, is a theft: the session ends and it is logged', async () => {
  await refresh(0)
  await setSession(`refreshed_at = now() - interval '31 seconds'`)
  assert.deepEqual(await refresh(0), { outcome: 'stolen', ...nothing })
  assert.equal((await read()).revoked_reason, 'stolen')
  const { rows } = await db.owner.query(
    `select user_id, address, detail from pie_private.audit_log where event = 'session.stolen' and session_id = $1`,
    [session.id],
  )
  assert.deepEqual(rows, [
    { user_id: db.ada.id, address: '198.51.100.1', detail: { presented: 0, current: 1 } },
  ])
  await assertRefusedRefresh(1)
})

test('a generation before that one is a theft even inside the window', async () => {
  await refresh(0)
  await refresh(1)
  assert.equal((await refresh(0)).outcome, 'stolen')
  const cream = await db.connectAs('cream')
  await assertRefused(db.owner, invalidAuthorization, () => authenticate(cream, session))
})

test('a generation to come, an unknown session and a wrong proof are refused, and end nothing', async () => {
  await refresh(0)
  await assertRefusedRefresh(2)
  await assertRefusedRefresh(1, { id: randomUUID() })
  await assertRefusedRefresh(1, { proofs: [guessedProof()] })
  await assertRefusedRefresh(1, { proofs: [hashOf(session.proof)] })
  await assertRefusedRefresh(1, { proofs: [] })
  await assertRefusedRefresh(0, { proofs: [guessedProof()] })
  assert.equal((await refresh(1)).outcome, 'rotated')
})

test('an expired and a revoked session are refused, with the current generation too', async () => {
  await setSession('expires_at = now()')
  await assertRefusedRefresh(0)
  await setSession(
    `expires_at = absolute_expires_at, revoked_at = now(), revoked_reason = 'logout'`,
  )
  await assertRefusedRefresh(0)
})

test('no refresh goes past the absolute limit', async () => {
  const limit = new Date(Date.now() + 60_000)
  await setSession(
    `expires_at = '${limit.toISOString()}', absolute_expires_at = '${limit.toISOString()}'`,
  )
  const rotated = await refresh(0, { lifetime: '30 days' })
  assert.equal(rotated.expires_at.getTime(), limit.getTime())
  await setSession(
    `created_at = now() - interval '2 days', expires_at = now() - interval '1 second', absolute_expires_at = now()`,
  )
  await assertRefusedRefresh(1)
})

test('a session proven with an older SECRET_KEY is re-keyed to the current one', async () => {
  const current = guessedProof()
  const rotated = await refresh(0, { proofs: [current, session.proof] })
  assert.equal(rotated.outcome, 'rotated')
  assert.deepEqual((await read()).proof_hash, hashOf(current))
  await assertRefusedRefresh(1, { proofs: [session.proof] })
  assert.equal((await refresh(1, { proofs: [current, session.proof] })).outcome, 'rotated')
})

test('of two refreshes at once one rotates and the other repeats it', async () => {
  const other = await db.connectAs('pie_auth')
  const [one, two] = await Promise.all([refresh(0), refresh(0, { client: other })])
  assert.deepEqual([one.outcome, two.outcome].sort(), ['repeated', 'rotated'])
  assert.deepEqual({ ...one, outcome: '' }, { ...two, outcome: '' })
  assert.equal((await read()).refresh_generation, 1)
})

test('a refresh that meets a revocation under way is refused', async () => {
  await db.owner.query('begin')
  await setSession(`revoked_at = now(), revoked_reason = 'logout'`)
  const meeting = refresh(0)
  await db.owner.query('commit')
  assert.equal((await meeting).outcome, 'refused')
})

test('a refresh that is rolled back has not happened', async () => {
  await auth.query('begin')
  assert.equal((await refresh(0)).current_generation, 1)
  await auth.query('rollback')
  assert.equal((await read()).refresh_generation, 0)
  assert.equal((await refresh(0)).outcome, 'rotated')
})
