import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type pg from 'pg'
import {
  addPerson,
  addSession,
  openPeopledDatabase,
  type PeopledDatabase,
  type Person,
  type Session,
} from './people.ts'
import { assertNothingChanges } from './refusals.ts'

/** Who has other roles has another session id from then on: the browser's expires, and is renewed. */
let db: PeopledDatabase
let auth: pg.Client
let emmy: Person
let browser: Session
let people = 0
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
})
after(() => db.close())
beforeEach(async () => {
  people += 1
  emmy = await addPerson(db.owner, `emmy${people}`)
  browser = await addSession(db.owner, emmy.id, '1 hour', 'browser')
})

const isExpired = async ({ id }: Session): Promise<boolean> =>
  (
    await db.owner.query(
      'select expires_at <= now() as is_expired from pie_private.sessions where id = $1',
      [id],
    )
  ).rows[0].is_expired

test('giving, changing and taking a role expires every browser session of the user', async () => {
  const second = await addSession(db.owner, emmy.id, '1 hour', 'browser')
  for (const change of [
    `insert into pie_schema.user_roles (user_id, role) values ($1, 'editor')`,
    `update pie_schema.user_roles set role = 'admin' where user_id = $1 and role = 'editor'`,
    `delete from pie_schema.user_roles where user_id = $1 and role = 'admin'`,
  ]) {
    await db.owner.query(
      `update pie_private.sessions set expires_at = now() + interval '1 hour' where user_id = $1`,
      [emmy.id],
    )
    assert.equal(await isExpired(browser), false)
    await db.owner.query(change, [emmy.id])
    assert.deepEqual([await isExpired(browser), await isExpired(second)], [true, true], change)
  }
})

test('it leaves tokens, ended and expired sessions, and those of other users as they were', async () => {
  const graces = await addSession(db.owner, db.grace.id, '1 hour', 'browser')
  const revoked = await addSession(db.owner, emmy.id, '1 hour', 'browser')
  const expired = await addSession(db.owner, emmy.id, '1 hour', 'browser')
  await db.owner.query(
    `update pie_private.sessions set revoked_at = now(), revoked_reason = 'logout' where id = $1`,
    [revoked.id],
  )
  await db.owner.query(
    `update pie_private.sessions set expires_at = now() - interval '1 day' where id = $1`,
    [expired.id],
  )
  const others = async () =>
    (
      await db.owner.query(
        'select t::text as line from pie_private.sessions as t where id <> $1 order by id',
        [browser.id],
      )
    ).rows
  const before = await others()
  assert.ok(before.length > 4)
  await db.owner.query(`select pie_private.grant_role($1, 'editor')`, [emmy.email])
  assert.deepEqual(await others(), before)
  assert.equal(await isExpired(browser), true)
  assert.equal(await isExpired(graces), false)
})

test('a change of an address, a name, or a role that is given twice expires nothing', async () => {
  await db.request(emmy, `update pie_schema.users set name = 'Emmy'`)
  await db.owner.query('update pie_schema.user_emails set is_verified = true where user_id = $1', [
    emmy.id,
  ])
  assert.equal(await isExpired(browser), false)
  await assertNothingChanges(db.owner, () =>
    db.owner.query(`select pie_private.grant_role($1, 'viewer')`, [emmy.email]),
  )
})

test('a session that its role change has expired is renewed, under another id, with the new role', async () => {
  await db.owner.query(`select pie_private.grant_role($1, 'editor')`, [emmy.email])
  const { rows } = await auth.query(
    `select pie_private.renew_session($1, $2, gen_random_uuid(), sha256('proof'), '1 hour', '7 days', '1 minute', null, null)
       as description`,
    [browser.id, [browser.proof]],
  )
  const { session, user } = rows[0].description
  assert.notEqual(session.id, browser.id)
  assert.deepEqual(user.roles, ['editor', 'viewer'])
})

test('a visit that began before the role changed does not bring the old id back', async () => {
  await db.owner.query(
    `update pie_private.sessions set last_seen_at = now() - interval '1 hour' where id = $1`,
    [browser.id],
  )
  const visitor = await db.connectAs('pie_auth')
  await visitor.query('begin')
  await visitor.query('select now()')
  await db.owner.query(`select pie_private.grant_role($1, 'editor')`, [emmy.email])
  await visitor.query(`select pie_private.visit_session($1, $2, '1 hour')`, [
    browser.id,
    [browser.proof],
  ])
  await visitor.query('commit')
  assert.equal(await isExpired(browser), true)
})
