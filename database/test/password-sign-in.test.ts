import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import type pg from 'pg'
import { hashOf, openPeopledDatabase, type PeopledDatabase, proofOf, someHash } from './people.ts'
import { assertNothingChanges } from './refusals.ts'

let db: PeopledDatabase
let auth: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
})
after(() => db.close())
beforeEach(() => db.owner.query('delete from pie_private.throttles'))

interface Begun {
  wait_seconds: number | null
  user_id: string | null
  password_hash: string | null
}

async function begin(email: string, address: string): Promise<Begun> {
  const { rows } = await auth.query<Begun>(
    'select * from pie_private.begin_password_sign_in($1, $2)',
    [email, address],
  )
  return rows[0] as Begun
}

async function complete(
  email: string,
  address: string,
  { userId = db.ada.id, hash = someHash } = {},
): Promise<boolean> {
  const id = randomUUID()
  const { rowCount } = await auth.query(
    `select * from pie_private.complete_password_sign_in($1, $2, $3, $4, 'token', $5, '1 hour', '30 days', $6, 'tests')`,
    [userId, email, hash, id, hashOf(proofOf(id)), address],
  )
  return rowCount === 1
}

/** How many attempts in a row may be made before one has to wait, and how long that one waits. */
async function attemptsUntilWait(
  email: (attempt: number) => string,
  address: (attempt: number) => string,
): Promise<{ made: number; wait: number }> {
  for (let made = 0; made < 500; made++) {
    const { wait_seconds, user_id, password_hash } = await begin(email(made), address(made))
    if (wait_seconds === null) continue
    assert.deepEqual([user_id, password_hash], [null, null], 'who waits is told nothing')
    return { made, wait: wait_seconds }
  }
  return { made: 500, wait: 0 }
}

const distinct = (attempt: number) => `10.${attempt >> 8}.${attempt & 255}.1`
const ada = () => 'ada@example.com'
const passSeconds = (seconds: number) =>
  db.owner.query(
    'update pie_private.throttles set empty_at = empty_at - make_interval(secs => $1)',
    [seconds],
  )

test('an attempt gets the hash to check it against; an unknown address gets none, and no wait', async () => {
  assert.deepEqual(await begin('ada@example.com', '198.51.100.1'), {
    wait_seconds: null,
    user_id: db.ada.id,
    password_hash: someHash,
  })
  assert.deepEqual(await begin('nobody@example.com', '198.51.100.1'), {
    wait_seconds: null,
    user_id: null,
    password_hash: null,
  })
})

test('one network tries one account 10 times, then once a minute', async () => {
  const here = () => '198.51.100.1'
  const { made, wait } = await attemptsUntilWait(ada, here)
  assert.equal(made, 10)
  assert.ok(wait > 40 && wait <= 60, `${wait}`)
  await passSeconds(60)
  assert.equal((await begin(ada(), here())).wait_seconds, null)
  assert.notEqual((await begin(ada(), here())).wait_seconds, null)
  assert.equal((await begin(ada(), '198.51.100.2')).wait_seconds, null)
})

test('one network tries 100 times altogether, then every 10 seconds', async () => {
  const here = () => '198.51.100.1'
  const { made, wait } = await attemptsUntilWait((attempt) => `u${attempt}@example.com`, here)
  assert.equal(made, 100)
  assert.ok(wait >= 1 && wait <= 10, `${wait}`)
  await passSeconds(10)
  assert.equal((await begin('another@example.com', here())).wait_seconds, null)
})

test('one account is tried 50 times from everywhere, then every 30 seconds', async () => {
  const { made, wait } = await attemptsUntilWait(ada, distinct)
  assert.equal(made, 50)
  assert.ok(wait > 10 && wait <= 30, `${wait}`)
  await passSeconds(30)
  assert.equal((await begin(ada(), '198.51.100.9')).wait_seconds, null)
  assert.equal((await begin('grace@example.com', '198.51.100.9')).wait_seconds, null)
})

test('an account that does not exist is counted, and waits, like one that does', async () => {
  const nobody = () => 'nobody@example.com'
  const here = () => '198.51.100.1'
  const assertAlike = (one: { made: number; wait: number }, other: typeof one) => {
    assert.equal(one.made, other.made)
    // Time goes by meanwhile.
    assert.ok(Math.abs(one.wait - other.wait) < 15, `${one.wait} and ${other.wait}`)
  }
  const known = await attemptsUntilWait(ada, here)
  assertAlike(await attemptsUntilWait(nobody, here), known)
  await db.owner.query('delete from pie_private.throttles')
  const spread = await attemptsUntilWait(ada, distinct)
  await db.owner.query('delete from pie_private.throttles')
  assertAlike(await attemptsUntilWait(nobody, distinct), spread)
})

test('the addresses of one IPv6 /64 are one network, and those of the next are another', async () => {
  const inside = (attempt: number) => `2001:db8:0:1:${attempt.toString(16)}::${attempt + 1}`
  assert.equal((await attemptsUntilWait(ada, inside)).made, 10)
  assert.equal((await begin(ada(), '2001:db8:0:2::1')).wait_seconds, null)
  const { rows } = await db.owner.query(
    `select pie_private.network_of('2001:db8:0:1:ffff::1') as six, pie_private.network_of('192.0.2.7') as four,
       pie_private.network_of('192.0.2.7/24') as masked`,
  )
  assert.deepEqual(rows, [
    { six: '2001:db8:0:1::/64', four: '192.0.2.7/32', masked: '192.0.2.7/32' },
  ])
})

test("strangers' guesses do not keep the owner out of a network that they have signed in from", async () => {
  const home = '192.0.2.1'
  await attemptsUntilWait(ada, distinct)
  assert.notEqual((await begin(ada(), '198.51.100.7')).wait_seconds, null)
  assert.equal((await begin(ada(), home)).user_id, db.ada.id)
  assert.ok(await complete(ada(), home))
  await db.owner.query(
    `update pie_private.known_networks set last_seen_at = now() - interval '91 days'`,
  )
  await attemptsUntilWait(ada, (attempt) => distinct(attempt + 300))
  assert.notEqual((await begin(ada(), home)).wait_seconds, null)
  await db.owner.query('update pie_private.known_networks set last_seen_at = now()')
})

test('a password that was right gives the attempt back', async () => {
  const away = '203.0.113.4'
  for (let round = 0; round < 60; round++) {
    assert.equal((await begin(ada(), away)).wait_seconds, null, `round ${round}`)
    assert.ok(await complete(ada(), away))
    // As from a network that is not known yet.
    await db.owner.query('delete from pie_private.known_networks where network = $1', [
      `${away}/32`,
    ])
  }
})

test("the owner's sign-in at home gives strangers no attempt back", async () => {
  await attemptsUntilWait(ada, distinct)
  for (let round = 0; round < 5; round++) {
    await begin(ada(), '192.0.2.1')
    assert.ok(await complete(ada(), '192.0.2.1'))
  }
  assert.notEqual((await begin(ada(), '198.51.100.8')).wait_seconds, null)
})

test('signing in changes nothing when the password has changed, or the user is disabled', async () => {
  await begin(ada(), '198.51.100.1')
  const { rows } = await db.owner.query(
    `insert into pie_schema.users (id, disabled_at) values (gen_random_uuid(), now()) returning id`,
  )
  await db.owner.query('insert into pie_private.passwords (user_id, hash) values ($1, $2)', [
    rows[0].id,
    someHash,
  ])
  await assertNothingChanges(db.owner, async () => {
    assert.equal(await complete(ada(), '198.51.100.1', { hash: `${someHash}x` }), false)
    assert.equal(await complete(ada(), '198.51.100.1', { userId: randomUUID() }), false)
    assert.equal(await complete(ada(), '198.51.100.1', { userId: rows[0].id }), false)
  })
})

test('a failed attempt is one line in the log, whether or not there is such a user', async () => {
  for (const id of [db.ada.id, null])
    await auth.query(`select pie_private.fail_password_sign_in($1, '198.51.100.1')`, [id])
  const { rows } = await db.owner.query(
    `select user_id, address, detail from pie_private.audit_log where event = 'sign_in.failed' order by id`,
  )
  const line = { address: '198.51.100.1', detail: { method: 'pwd' } }
  assert.deepEqual(rows, [
    { user_id: db.ada.id, ...line },
    { user_id: null, ...line },
  ])
})
