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
