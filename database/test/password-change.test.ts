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
  someHash,
} from './people.ts'
import { assertNothingChanges, assertRefused, invalidAuthorization } from './refusals.ts'

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
  await set(`address = '${home}'`)
})

const newHash = `${someHash}new`

const home = '192.0.2.7'
const elsewhere = '198.51.100.9'

const begin = async ({ id, proof }: Session = browser, proofs = [proof], address = home) =>
  (
    await auth.query('select * from pie_private.begin_password_change($1, $2, $3)', [
      id,
      proofs,
      address,
    ])
  ).rows

const isHeldUp = async (session?: Session, address?: string): Promise<boolean> =>
  (await begin(session, undefined, address))[0].wait_seconds !== null

/** What a browser has in place of a session that has expired. */
async function renew({ id, proof }: Session, address: string): Promise<Session> {
  await db.owner.query(
    `update pie_private.sessions set expires_at = now() - interval '1 second' where id = $1`,
    [id],
  )
  const next = randomUUID()
  const { rows } = await auth.query(
    `select pie_private.renew_session($1, $2, $3, $4, '1 hour', '7 days', '1 minute', $5, null) as renewed`,
    [id, [proof], next, hashOf(proofOf(next)), address],
  )
  assert.equal(rows[0].renewed.session.id, next)
  return { id: next, proof: proofOf(next) }
}

async function complete(
  { id, proof }: Session = browser,
  { proofs = [proof], verified = someHash, lifetime = '1 hour', limit = '30 days' } = {},
) {
  const next = randomUUID()
  const { rows } = await auth.query(
    `select * from pie_private.complete_password_change($1, $2, $3, $4, $5, $6, $7, $8, '198.51.100.1', 'Firefox')`,
    [id, proofs, verified, newHash, next, hashOf(proofOf(next)), lifetime, limit],
  )
  return { rows, next: { id: next, proof: proofOf(next) } }
}

const set = (assignments: string, { id }: Session = browser) =>
  db.owner.query(`update pie_private.sessions set ${assignments} where id = $1`, [id])

const hashInUse = async () =>
  (await db.owner.query('select hash from pie_private.passwords where user_id = $1', [emmy.id]))
    .rows[0].hash

/** Sessions that may change nothing, each made so by one assignment. */
const unusable = [
  'expires_at = now()',
  `revoked_at = now(), revoked_reason = 'logout'`,
  `expires_at = now() - interval '2 hours', absolute_expires_at = now() - interval '1 hour'`,
]

test('an attempt is told whose password to check, and what not to take for a new one', async () => {
  assert.deepEqual(await begin(), [
    {
      wait_seconds: null,
      user_id: emmy.id,
      email: emmy.email,
      name: `emmy${people}`,
      password_hash: someHash,
    },
  ])
  assert.equal((await begin(browser, [guessedProof(), browser.proof])).length, 1)
})

test('somebody without a password is told that there is none to check', async () => {
  await db.owner.query('delete from pie_private.passwords where user_id = $1', [emmy.id])
  const [begun] = await begin()
  assert.deepEqual([begun.user_id, begun.password_hash], [emmy.id, null])
})

test('who does not prove a session that may act is told nothing, and uses up no attempt', async () => {
  await assertNothingChanges(db.owner, async () => {
    for (const proofs of [[], [guessedProof()], [db.grace.session.proof]])
      assert.deepEqual(await begin(browser, proofs), [])
    assert.deepEqual(await begin({ id: randomUUID(), proof: browser.proof }), [])
  })
  for (const assignments of unusable) {
    await set(assignments)
    await assertNothingChanges(db.owner, async () => assert.deepEqual(await begin(), []))
  }
})

test('ten attempts, then one a minute; what else the user is signed in with, and another user, is not held up', async () => {
  for (let attempt = 0; attempt < 10; attempt++) assert.ok(!(await isHeldUp()))
  const [held] = await begin()
  assert.ok(held.wait_seconds > 30 && held.wait_seconds <= 60, held.wait_seconds)
  assert.deepEqual(
    { ...held, wait_seconds: null },
    { wait_seconds: null, user_id: null, email: null, name: null, password_hash: null },
  )
  assert.ok(!(await isHeldUp(emmy.session)))
  assert.ok(!(await isHeldUp(db.ada.session)))
  await db.owner.query(
    `update pie_private.throttles set empty_at = empty_at - interval '1 minute' where key = $1`,
    [`password-change:${browser.id}:here`],
  )
  assert.ok(!(await isHeldUp()))
  assert.ok(await isHeldUp())
})

test('a renewal brings no new attempts, wherever it comes from and however often', async () => {
  for (let attempt = 0; attempt < 8; attempt++) await begin()
  let session = browser
  for (const address of [home, elsewhere, home]) session = await renew(session, address)
  assert.ok(!(await isHeldUp(session)))
  assert.ok(!(await isHeldUp(session)))
  assert.ok(await isHeldUp(session))
  assert.ok(await isHeldUp(await renew(session, home)))
})

test('elsewhere is one place, and not the one where somebody has signed in', async () => {
  for (let attempt = 0; attempt < 10; attempt++)
    assert.ok(!(await isHeldUp(browser, `203.0.113.${attempt}`)))
  for (const address of ['203.0.113.77', '2001:db8::1', elsewhere])
    assert.ok(await isHeldUp(browser, address))
  // Also where the thief's renewal has come first.
  const renewed = await renew(browser, elsewhere)
  assert.ok(await isHeldUp(renewed, elsewhere))
  assert.ok(!(await isHeldUp(renewed, home)))
  // Nor has a node of the version before more of them: it does not say from where.
  const { rows } = await auth.query('select * from pie_private.begin_password_change($1, $2)', [
    renewed.id,
    [renewed.proof],
  ])
  assert.ok(rows[0].wait_seconds > 0)
})

test('30 attempts at once count as 30', async () => {
  const clients = await Promise.all(Array.from({ length: 30 }, () => db.connectAs('pie_auth')))
  const results = await Promise.all(
    clients.map((client) =>
      client.query('select wait_seconds from pie_private.begin_password_change($1, $2, $3)', [
        browser.id,
        [browser.proof],
        home,
      ]),
    ),
  )
  assert.equal(results.filter(({ rows }) => rows[0].wait_seconds === null).length, 10)
})

test('a change ends every session of the user, and goes on in a new one of the same kind', async () => {
  await begin()
  await set(`methods = '{pwd,otp}'`)
  const expired = await addSession(db.owner, emmy.id, '1 hour', 'browser')
  await set(`expires_at = now() - interval '1 day'`, expired)
  const { rows, next } = await complete()
  assert.equal(await hashInUse(), newHash)
  const [started] = rows
  assert.deepEqual(started.ended.sort(), [browser.id, emmy.session.id, expired.id].sort())
  assert.equal(started.user.id, emmy.id)
  for (const session of [browser, emmy.session])
    await assertRefused(db.owner, invalidAuthorization, () =>
      db.request({ ...emmy, session }, 'select 1'),
    )
  await db.request({ ...emmy, session: next }, 'select 1')
  await db.request(db.ada, 'select 1')
  const { rows: kept } = await db.owner.query(
    `select id, kind, methods, revoked_reason, address, user_agent from pie_private.sessions where user_id = $1`,
    [emmy.id],
  )
  const goesOn = kept.find(({ id }) => id === next.id)
  assert.deepEqual(goesOn, {
    ...{ id: next.id, kind: 'browser', methods: ['pwd', 'otp'], revoked_reason: null },
    ...{ address: '198.51.100.1', user_agent: 'Firefox' },
  })
  assert.equal(kept.filter((row) => row.revoked_reason === 'password_changed').length, 3)
  const { rows: lines } = await db.owner.query(
    `select event, session_id, address from pie_private.audit_log where user_id = $1 order by id desc limit 2`,
    [emmy.id],
  )
  assert.deepEqual(lines, [
    { event: 'session.started', session_id: next.id, address: '198.51.100.1' },
    { event: 'password.changed', session_id: browser.id, address: '198.51.100.1' },
  ])
})

test('a change that succeeds gives the attempts back', async () => {
  for (let attempt = 0; attempt < 10; attempt++) await begin()
  const { next } = await complete()
  assert.equal((await begin(next))[0].wait_seconds, null)
})

test('another hash than the one in use, no proof, and an ended session change nothing', async () => {
  await assertNothingChanges(db.owner, async () => {
    assert.deepEqual((await complete(browser, { verified: newHash })).rows, [])
    assert.deepEqual((await complete(browser, { verified: null as unknown as string })).rows, [])
    for (const proofs of [[], [guessedProof()], [db.grace.session.proof]])
      assert.deepEqual((await complete(browser, { proofs })).rows, [])
  })
  for (const assignments of unusable) {
    await set(assignments)
    await assertNothingChanges(db.owner, async () =>
      assert.deepEqual((await complete()).rows, [], assignments),
    )
  }
})

test('the session that goes on lives no longer than its absolute limit', async () => {
  const { rows } = await complete(browser, { lifetime: '90 days', limit: '30 days' })
  assert.deepEqual(rows[0].expires_at, rows[0].absolute_expires_at)
})
