import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import {
  addPerson,
  addSession,
  authenticate,
  guessedProof,
  openPeopledDatabase,
  type PeopledDatabase,
  type Session,
} from './people.ts'
import { assertNothingChanges, assertRefused, invalidAuthorization } from './refusals.ts'

let db: PeopledDatabase
let auth: pg.Client
let cream: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
  cream = await db.connectAs('cream')
})
after(() => db.close())

const end = ({ id }: Session, proofs: Buffer[], reason = 'logout') =>
  auth.query(`select pie_private.end_session($1, $2, $3, '198.51.100.1')`, [id, proofs, reason])

const revocationOf = async ({ id }: Session) =>
  (
    await db.owner.query(
      'select revoked_at, revoked_reason, version from pie_private.sessions where id = $1',
      [id],
    )
  ).rows[0]

test('whoever proves a session ends it, it is refused from then on, and the log says so once', async () => {
  const session = await addSession(db.owner, db.ada.id)
  await authenticate(cream, session)
  await end(session, [session.proof])
  const ended = await revocationOf(session)
  assert.equal(ended.revoked_reason, 'logout')
  await assertRefused(db.owner, invalidAuthorization, () => authenticate(cream, session))
  const { rows } = await db.owner.query(
    `select event, user_id, address, detail from pie_private.audit_log
     where session_id = $1 and event <> 'session.started'`,
    [session.id],
  )
  assert.deepEqual(rows, [
    {
      event: 'session.ended',
      user_id: db.ada.id,
      address: '198.51.100.1',
      detail: { reason: 'logout' },
    },
  ])
})

test('ending a session twice is the same as once', async () => {
  const session = await addSession(db.owner, db.ada.id)
  await end(session, [session.proof])
  await assertNothingChanges(db.owner, () => end(session, [session.proof], 'another_reason'))
})

test('two who end a session at once leave one line in the log', async () => {
  const session = await addSession(db.owner, db.ada.id)
  const other = await db.connectAs('pie_auth')
  await Promise.all([
    end(session, [session.proof]),
    other.query(`select pie_private.end_session($1, $2, 'logout', null)`, [
      session.id,
      [session.proof],
    ]),
  ])
  const { rows } = await db.owner.query(
    `select count(*)::int as count from pie_private.audit_log where session_id = $1 and event = 'session.ended'`,
    [session.id],
  )
  assert.equal(rows[0].count, 1)
})

test('a proof of an older SECRET_KEY among those shown ends the session too', async () => {
  const session = await addSession(db.owner, db.ada.id)
  await end(session, [guessedProof(), session.proof])
  assert.equal((await revocationOf(session)).revoked_reason, 'logout')
})

test("a wrong proof, no proof and another session's end nothing", async () => {
  await assertNothingChanges(db.owner, async () => {
    await end(db.ada.session, [guessedProof()])
    await end(db.ada.session, [])
    await end(db.ada.session, [db.grace.session.proof])
  })
})

test("disabling a user ends all their sessions in the same transaction, and nobody else's", async () => {
  const lise = await addPerson(db.owner, 'lise')
  const sessions = [
    lise.session,
    await addSession(db.owner, lise.id),
    await addSession(db.owner, lise.id),
  ]
  await end(sessions[2] as Session, [sessions[2]?.proof as Buffer])
  await db.owner.query('begin')
  await db.owner.query('update pie_schema.users set disabled_at = now() where id = $1', [lise.id])
  for (const session of sessions.slice(0, 2)) {
    assert.equal((await revocationOf(session)).revoked_reason, 'user_disabled')
  }
  await db.owner.query('rollback')
  await authenticate(cream, lise.session)

  await db.owner.query('update pie_schema.users set disabled_at = now() where id = $1', [lise.id])
  for (const session of sessions) {
    await assertRefused(db.owner, invalidAuthorization, () => authenticate(cream, session))
  }
  assert.equal((await revocationOf(sessions[2] as Session)).revoked_reason, 'logout')
  await authenticate(cream, db.ada.session)
})

test('a user who may sign in again has to: the ended sessions stay ended', async () => {
  const emmy = await addPerson(db.owner, 'emmy')
  const disable = (value: string) =>
    db.owner.query(`update pie_schema.users set disabled_at = ${value} where id = $1`, [emmy.id])
  await disable('now()')
  await disable('null')
  await assertRefused(db.owner, invalidAuthorization, () => authenticate(cream, emmy.session))
  const fresh = await addSession(db.owner, emmy.id)
  await authenticate(cream, fresh)
  await disable('now()')
  await assertRefused(db.owner, invalidAuthorization, () => authenticate(cream, fresh))
})

test('deleting a user takes their sessions, addresses, password and roles along, and leaves the log', async () => {
  const hedy = await addPerson(db.owner, 'hedy')
  const lines = async () =>
    (
      await db.owner.query(
        'select count(*)::int as count from pie_private.audit_log where user_id = $1',
        [hedy.id],
      )
    ).rows[0].count
  const before = await lines()
  await db.owner.query('delete from pie_schema.users where id = $1', [hedy.id])
  await assertRefused(db.owner, invalidAuthorization, () => authenticate(cream, hedy.session))
  for (const table of [
    'pie_private.sessions',
    'pie_private.passwords',
    'pie_schema.user_emails',
    'pie_schema.user_roles',
  ]) {
    const { rowCount } = await db.owner.query(`select from ${table} where user_id = $1`, [hedy.id])
    assert.equal(rowCount, 0, table)
  }
  assert.equal(await lines(), before)
  assert.ok(before > 0)
})
