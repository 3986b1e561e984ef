import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import { openPeopledDatabase, type PeopledDatabase, untilItWaits } from './people.ts'
import { assertNothingChanges, assertRefused, checkViolation } from './refusals.ts'

let db: PeopledDatabase
let auth: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
})
after(() => db.close())

const use = async (token: Buffer | null, client = auth, expires = '12 hours'): Promise<boolean> =>
  (
    await client.query('select pie_private.use_csrf_token($1, now() + $2::interval) as is_first', [
      token,
      expires,
    ])
  ).rows[0].is_first

const someToken = () => randomBytes(32)

const kept = async (): Promise<number> =>
  (await db.owner.query('select count(*)::int as count from pie_private.used_csrf_tokens')).rows[0]
    .count

test('a token is used once, and another beside it', async () => {
  const token = someToken()
  assert.equal(await use(token), true)
  await assertNothingChanges(db.owner, async () => assert.equal(await use(token), false))
  assert.equal(await use(someToken()), true)
})

test('of 20 who use one token at once, one does', async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, () => db.connectAs('pie_auth')))
  const token = someToken()
  const outcomes = await Promise.all(clients.map((client) => use(token, client)))
  assert.equal(outcomes.filter(Boolean).length, 1)
})

test('a use that is rolled back was none: whoever waited for it is the first', async () => {
  const [first, second] = [await db.connectAs('pie_auth'), await db.connectAs('pie_auth')]
  const token = someToken()
  await first.query('begin')
  assert.equal(await use(token, first), true)
  const using = use(token, second)
  await untilItWaits(db.owner, second, using)
  await first.query('rollback')
  assert.equal(await using, true)
})

test('what is no hash, and a token without an end, is refused', async () => {
  for (const token of [Buffer.alloc(0), randomBytes(31), randomBytes(33)])
    await assertRefused(db.owner, checkViolation, () => use(token))
  await assertRefused(db.owner, '23502', () => use(null))
  await assertRefused(db.owner, '23502', () => use(someToken(), auth, null as unknown as string))
})

test('tokens that expired over an hour ago are cleared away by later ones; the others are kept', async () => {
  await db.owner.query('delete from pie_private.used_csrf_tokens')
  const [recent, future] = [someToken(), someToken()]
  for (let count = 0; count < 10; count++) await use(someToken(), auth, '1 hour')
  await db.owner.query(
    `update pie_private.used_csrf_tokens set expires_at = now() - interval '61 minutes'`,
  )
  await use(recent, auth, '-59 minutes')
  await use(future)
  assert.equal(await kept(), 10 + 2 - 8)
  await use(someToken())
  assert.equal(await kept(), 3)
  assert.equal(await use(recent), false)
  assert.equal(await use(future), false)
})

test('clearing away waits for nobody', async () => {
  await use(someToken())
  await db.owner.query(
    `update pie_private.used_csrf_tokens set expires_at = now() - interval '1 day'`,
  )
  await db.owner.query('begin')
  await db.owner.query('select from pie_private.used_csrf_tokens for update')
  try {
    await auth.query(`set statement_timeout = '5s'`)
    assert.equal(await use(someToken()), true)
  } finally {
    await db.owner.query('rollback')
  }
})
