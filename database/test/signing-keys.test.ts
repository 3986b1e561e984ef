import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type pg from 'pg'
import { openPeopledDatabase, type PeopledDatabase } from './people.ts'
import {
  assertNothingChanges,
  assertRefused,
  checkViolation,
  insufficientPrivilege,
} from './refusals.ts'

let db: PeopledDatabase
let auth: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
})
after(() => db.close())
beforeEach(() => db.owner.query('delete from pie_private.signing_keys'))

const addFirst = (kid: string, client = auth, jwk: unknown = { kid, kty: 'EC' }) =>
  client.query('select pie_private.add_first_signing_key($1, $2, $3)', [
    kid,
    JSON.stringify(jwk),
    Buffer.from('sealed'),
  ])

const rotate = (kid: string, signsAfter = '10 minutes', overlap = '1 hour', client = db.owner) =>
  client.query('select pie_private.rotate_signing_key($1, $2, $3, $4, $5)', [
    kid,
    JSON.stringify({ kid }),
    Buffer.from('sealed'),
    signsAfter,
    overlap,
  ])

const list = async () =>
  (await auth.query('select * from pie_private.list_signing_keys()')).rows.map(({ kid }) => kid)

const secondsFromNow = (date: Date | null) =>
  date === null ? null : Math.round((date.getTime() - Date.now()) / 1000)

test('the first key is added once: of nodes that start at once, one has its own kept', async () => {
  const others = await Promise.all([1, 2, 3].map(() => db.connectAs('pie_auth')))
  await Promise.all([auth, ...others].map((client, index) => addFirst(`key${index}`, client)))
  const keys = await list()
  assert.equal(keys.length, 1)
  await assertNothingChanges(db.owner, () => addFirst('late'))
})

test('the first key signs from now on, and is listed with what it signs', async () => {
  await addFirst('first')
  const { rows } = await auth.query('select * from pie_private.list_signing_keys()')
  const [{ signs_from, ...key }] = rows
  assert.deepEqual(key, {
    kid: 'first',
    public_jwk: { kid: 'first', kty: 'EC' },
    sealed_private: Buffer.from('sealed'),
    verifies_until: null,
  })
  assert.ok(Math.abs(secondsFromNow(signs_from) ?? 99) <= 20)
})

test('a rotated key signs after a while; the older one verifies what it signs until then, and is logged', async () => {
  await addFirst('first')
  await rotate('second')
  assert.deepEqual(await list(), ['second', 'first'])
  const { rows } = await db.owner.query(
    'select kid, signs_from, verifies_until from pie_private.signing_keys order by kid',
  )
  const about = (seconds: number | null, expected: number) =>
    assert.ok(Math.abs((seconds ?? 0) - expected) <= 20, `${seconds}`)
  about(secondsFromNow(rows[0].verifies_until), 600 + 3600)
  about(secondsFromNow(rows[1].signs_from), 600)
  assert.equal(rows[1].verifies_until, null)
  const { rows: lines } = await db.owner.query(
    `select detail from pie_private.audit_log where event = 'signing_key.rotated' order by id desc limit 1`,
  )
  assert.deepEqual(lines, [{ detail: { kid: 'second' } }])
})

test('rotating again never lets an older key live longer', async () => {
  await addFirst('first')
  await rotate('second', '0', '10 minutes')
  await rotate('third', '0', '2 hours')
  const { rows } = await db.owner.query(
    'select kid, verifies_until from pie_private.signing_keys order by signs_from, created_at',
  )
  const until = Object.fromEntries(
    rows.map(({ kid, verifies_until }) => [kid, secondsFromNow(verifies_until)]),
  )
  assert.ok((until['first'] ?? 0) <= 600)
  assert.ok((until['second'] ?? 0) > 7000)
  assert.equal(until['third'], null)
})

test('a key whose time is over is listed no more', async () => {
  await addFirst('first')
  await rotate('second', '0', '0')
  assert.deepEqual(await list(), ['second'])
})

test('the database keeps no private key in the clear, and no key under another name', async () => {
  for (const jwk of [{ kid: 'x', d: 'secret' }, { kid: 'y' }, {}, [], 'x', null]) {
    await assertRefused(
      db.owner,
      [checkViolation, '23502'],
      () => addFirst('x', auth, jwk),
      JSON.stringify(jwk),
    )
  }
})

test('the server may not rotate keys: that is for the owner', async () => {
  await assertRefused(db.owner, insufficientPrivilege, () => rotate('mine', '0', '0', auth))
})
