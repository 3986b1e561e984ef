import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import { addSession, openPeopledDatabase, type PeopledDatabase } from './people.ts'
import { assertRefused, insufficientPrivilege } from './refusals.ts'

let db: PeopledDatabase
let auth: pg.Client
let cream: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
  cream = await db.connectAs('cream')
})
after(() => db.close())

const estimate = async () =>
  Number((await auth.query('select pie_private.estimate_live_sessions() as count')).rows[0].count)

const revokedAt = async (id: string) =>
  (await auth.query('select pie_private.session_revoked_at($1) as at', [id])).rows[0].at

test('sessions that may act are counted, while there are few', async () => {
  const before = await estimate()
  assert.equal(before, 3)
  const [revoked, expired] = [
    await addSession(db.owner, db.ada.id),
    await addSession(db.owner, db.ada.id),
  ]
  await addSession(db.owner, db.grace.id)
  assert.equal(await estimate(), 6)
  await db.owner.query(
    `update pie_private.sessions set revoked_at = now(), revoked_reason = 'logout' where id = $1`,
    [revoked.id],
  )
  await db.owner.query('update pie_private.sessions set expires_at = now() where id = $1', [
    expired.id,
  ])
  assert.equal(await estimate(), 4)
})

test('of many they are estimated from a thousand pages, the same ones each time', async () => {
  await db.owner.query(
    `insert into pie_private.sessions (id, user_id, kind, proof_hash, methods, expires_at, absolute_expires_at, user_agent)
     select gen_random_uuid(), $1, 'browser', $2, '{pwd}', now() + (case when n % 4 = 0 then -1 else 1 end) * interval '1 day',
            now() + interval '2 days', repeat('a', 200)
     from generate_series(1, 60000) as n`,
    [db.ada.id, randomBytes(32)],
  )
  const { rows } = await db.owner.query(
    `select pg_relation_size('pie_private.sessions') / current_setting('block_size')::int as pages`,
  )
  assert.ok(Number(rows[0].pages) > 2000, `only ${rows[0].pages} pages`)
  const found = await estimate()
  assert.ok(Math.abs(found - 45_000) < 4_500, String(found))
  assert.equal(await estimate(), found)
})

test('when a session was revoked, pie_auth may ask', async () => {
  const { id } = await addSession(db.owner, db.ada.id)
  assert.equal(await revokedAt(id), null)
  const { rows } = await db.owner.query(
    `update pie_private.sessions set revoked_at = now(), revoked_reason = 'logout' where id = $1 returning revoked_at`,
    [id],
  )
  assert.deepEqual(await revokedAt(id), rows[0].revoked_at)
  assert.equal(await revokedAt('00000000-0000-4000-8000-000000000000'), null)
})

test('nobody who asks for themselves may ask either', async () => {
  for (const call of ['estimate_live_sessions()', `session_revoked_at('${db.ada.session.id}')`]) {
    const ask = `select pie_private.${call}`
    await assertRefused(db.owner, insufficientPrivilege, () => cream.query(ask))
    await assertRefused(db.owner, insufficientPrivilege, () => db.request(db.ada, ask))
  }
})
