import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import {
  addPerson,
  addSession,
  hashOf,
  openPeopledDatabase,
  type PeopledDatabase,
  type Person,
  proofOf,
  type Session,
} from './people.ts'
import {
  assertNothingChanges,
  assertRefused,
  insufficientPrivilege,
  invalidAuthorization,
} from './refusals.ts'

let db: PeopledDatabase
let emmy: Person
let browser: Session
let people = 0
before(async () => {
  db = await openPeopledDatabase()
})
after(() => db.close())
beforeEach(async () => {
  people += 1
  emmy = await addPerson(db.owner, `emmy${people}`)
  browser = await addSession(db.owner, emmy.id, '1 hour', 'browser')
})

type Call = 'disable_user' | 'enable_user' | 'delete_user' | 'is_user'
const call = async (name: Call, email = emmy.email): Promise<boolean> =>
  (await db.owner.query(`select pie_private.${name}($1) as answer`, [email])).rows[0].answer

const revoke = async (id: string | null, email: string | null): Promise<number> =>
  (await db.owner.query('select pie_private.revoke_sessions($1, $2) as count', [id, email])).rows[0]
    .count

const list = async (email: string | null, most: number | null = null) =>
  (
    await db.owner.query('select * from pie_private.list_sessions($1, $2)', [email, most])
  ).rows.filter(({ email: address }) => address === email || email === null)

const set = (assignments: string, id = browser.id) =>
  db.owner.query(`update pie_private.sessions set ${assignments} where id = $1`, [id])

async function linesOf({ id }: Person) {
  const { rows } = await db.owner.query(
    `select event, session_id, detail from pie_private.audit_log
     where user_id = $1 and event not in ('session.started', 'user.registered') order by id`,
    [id],
  )
  return rows
}

const act = ({ session }: { session: Session }) => db.request({ ...emmy, session }, 'select 1')

test('disabling ends every session, enabling brings none back; each is one line in the log', async () => {
  assert.equal(await call('disable_user'), true)
  await assertRefused(db.owner, invalidAuthorization, () => act(emmy))
  await assertNothingChanges(db.owner, async () => assert.equal(await call('disable_user'), true))
  assert.equal(await call('enable_user'), true)
  await assertNothingChanges(db.owner, async () => assert.equal(await call('enable_user'), true))
  await assertRefused(db.owner, invalidAuthorization, () => act(emmy))
  await act({ session: await addSession(db.owner, emmy.id) })
  assert.deepEqual(
    await linesOf(emmy),
    ['user.disabled', 'user.enabled'].map((event) => ({ event, session_id: null, detail: {} })),
  )
})

test('a deleted user is gone with all that is theirs, but for the log, which says so', async () => {
  const lines = (await linesOf(emmy)).length
  assert.equal(await call('is_user'), true)
  assert.equal(await call('delete_user'), true)
  assert.equal(await call('is_user'), false)
  await assertRefused(db.owner, invalidAuthorization, () => act(emmy))
  assert.deepEqual((await linesOf(emmy)).slice(lines), [
    { event: 'user.deleted', session_id: null, detail: {} },
  ])
  await assertNothingChanges(db.owner, async () => assert.equal(await call('delete_user'), false))
})

test('an address of nobody, or written otherwise, is false, and nothing changes', async () => {
  await assertNothingChanges(db.owner, async () => {
    for (const name of ['disable_user', 'enable_user', 'delete_user', 'is_user'] as const) {
      for (const email of ['nobody@example.com', emmy.email.toUpperCase(), '', '%'])
        assert.equal(await call(name, email), false, `${name} ${email}`)
      assert.equal(await call(name, null as unknown as string), false)
    }
    assert.equal(await revoke(null, 'nobody@example.com'), 0)
    assert.equal(await revoke(randomUUID(), null), 0)
    assert.equal(await revoke(null, null), 0)
  })
})

test('one session is revoked, or all of a user, with a line for each, and never twice', async () => {
  assert.equal(await revoke(browser.id, null), 1)
  await assertRefused(db.owner, invalidAuthorization, () => act({ session: browser }))
  await act(emmy)
  await assertNothingChanges(db.owner, async () => assert.equal(await revoke(browser.id, null), 0))
  const third = await addSession(db.owner, emmy.id)
  await set(`expires_at = now() - interval '1 day'`, third.id)
  assert.equal(await revoke(null, emmy.email), 2)
  await assertRefused(db.owner, invalidAuthorization, () => act(emmy))
  await db.request(db.ada, 'select 1')
  const lines = await linesOf(emmy)
  for (const line of lines) {
    assert.equal(line.event, 'session.ended')
    assert.deepEqual(line.detail, { reason: 'revoked_by_operator' })
  }
  assert.deepEqual(
    lines.map(({ session_id }) => session_id).sort(),
    [browser.id, emmy.session.id, third.id].sort(),
  )
})

test('a session that was renewed since it was listed is revoked with what continues it', async () => {
  await set(`expires_at = now() - interval '1 day'`)
  const successor = randomUUID()
  await db.owner.query(
    `select pie_private.renew_session($1, $2, $3, $4, '1 hour', '7 days', '1 minute', null, null)`,
    [browser.id, [browser.proof], successor, hashOf(proofOf(successor))],
  )
  await revoke(browser.id, null)
  await assertRefused(db.owner, invalidAuthorization, () =>
    act({ session: { id: successor, proof: proofOf(successor) } }),
  )
  await act(emmy)
})

test('sessions that may act or be renewed are listed, of one user or of all, the last seen first', async () => {
  await set(`last_seen_at = now() + interval '1 day'`)
  const ids = async (email: string | null) => (await list(email)).map(({ id }) => id)
  assert.deepEqual(await ids(emmy.email), [browser.id, emmy.session.id])
  const [first] = await list(null, 1)
  const { id, email, kind, address, user_agent } = first
  assert.deepEqual(
    { id, email, kind, address, user_agent },
    {
      id: browser.id,
      email: emmy.email,
      kind: 'browser',
      address: '192.0.2.1',
      user_agent: 'tests',
    },
  )
  assert.ok((await ids(null)).includes(db.ada.session.id))
  assert.deepEqual(await ids('nobody@example.com'), [])
  await set(`expires_at = now() - interval '1 day'`)
  await set(`expires_at = now() - interval '1 day'`, emmy.session.id)
  assert.deepEqual(await ids(emmy.email), [browser.id])
  await set(`absolute_expires_at = now() - interval '1 hour'`)
  assert.deepEqual(await ids(emmy.email), [])
})

test('none of it is for the server, or for a request', async () => {
  const auth = await db.connectAs('pie_auth')
  const calls = [
    ...['disable_user', 'enable_user', 'delete_user', 'is_user'].map(
      (name) => `select pie_private.${name}('${emmy.email}')`,
    ),
    'select * from pie_private.list_sessions(null, 10)',
    `select pie_private.revoke_sessions('${emmy.session.id}', null)`,
    `select pie_private.revoke_sessions(null, '${emmy.email}')`,
  ]
  for (const sql of calls) {
    await assertRefused(db.owner, insufficientPrivilege, () => auth.query(sql), sql)
    for (const person of [null, db.ada, db.dorothy])
      await assertRefused(db.owner, insufficientPrivilege, () => db.request(person, sql), sql)
  }
})
