import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import {
  type Answer,
  assertProblem,
  goodPassword,
  register,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

let pie: TestPie
let ada: Answer['body']
/** Everything that whoever reads the whole database has: each value of each column of each row. */
let dump: (string | Buffer)[]

before(async () => {
  pie = await startTestPie()
  await register(pie, 'ada')
  const login = { email: 'ada@example.com', password: goodPassword }
  const first = await pie.request('/auth/login', { body: login })
  await pie.request('/auth/logout', { method: 'POST', token: first.body.access_token })
  ada = (await pie.request('/auth/login', { body: login })).body
  ada = (await pie.request('/auth/refresh', { body: { refresh_token: ada.refresh_token } })).body
  await pie.request('/auth/login', { body: { ...login, password: 'not it' } })
  dump = await readWholeDatabase()
})
after(() => pie.close())

async function readWholeDatabase(): Promise<(string | Buffer)[]> {
  const { rows: tables } = await pie.owner.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname in ('pie_schema', 'pie_private', 'pie_hooks') or tablename = 'pg_authid'`,
  )
  assert.ok(tables.length > 10)
  const values = new Map<string, string | Buffer>()
  for (const { name } of tables) {
    const { rows } = await pie.owner.query(`select t.*, t::text as line from ${name} as t`)
    for (const value of rows.flatMap((row) => Object.values(row))) {
      if (value === null) continue
      const kept = Buffer.isBuffer(value) ? value : textOf(value)
      values.set(Buffer.isBuffer(kept) ? kept.toString('hex') : kept, kept)
    }
  }
  return [...values.values()]
}

const textOf = (value: unknown): string =>
  value instanceof Date
    ? value.toISOString()
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value)

/** A value in each form in which an attacker might present it. */
const formsOf = (value: string | Buffer): string[] =>
  Buffer.isBuffer(value)
    ? (['hex', 'base64', 'base64url', 'latin1'] as const).map((form) => value.toString(form))
    : [value]

const headerSafe = (text: string): boolean => /^[\x20-\x7e]{1,4000}$/.test(text)

describe('a whole dump of the database', () => {
  test('was read: the hash of the password and the hash of the proof are in it', () => {
    assert.ok(dump.some((value) => String(value).startsWith('$argon2id$')))
    assert.ok(dump.some((value) => Buffer.isBuffer(value) && value.length === 32))
    assert.ok(dump.some((value) => String(value).includes('SCRAM-SHA-256$')))
  })

  test('holds nothing that is good as an access token', async () => {
    for (const text of dump.flatMap(formsOf).filter(headerSafe)) {
      const bearer = await pie.request('/users/me', { token: text })
      assert.equal(bearer.status, 401, text)
      const cookie = await pie.request('/users/me', {
        headers: { cookie: `pie_session_3000=${text}; __Host-pie_session=${text}` },
      })
      assert.equal(cookie.status, 401, text)
    }
    assert.equal((await pie.request('/users/me', { token: ada.access_token })).status, 200)
  })

  test('holds nothing that is good as a refresh token, to refresh or to sign somebody out', async () => {
    const texts = dump.flatMap(formsOf).filter((text) => text !== '' && text.length <= 4096)
    for (const refresh_token of texts) {
      const refreshed = await pie.request('/auth/refresh', { body: { refresh_token } })
      assertProblem(refreshed, 401, 'invalid_refresh_token')
      const logout = await pie.request('/auth/logout', { body: { refresh_token } })
      assertProblem(logout, 401, 'unauthenticated')
    }
    assert.equal((await pie.request('/users/me', { token: ada.access_token })).status, 200)
  })

  test('holds nothing that is good as a password', async () => {
    const { rows } = await pie.owner.query('select hash from pie_private.passwords')
    const hash: string = rows[0].hash
    // Nobody has a password of less than 10 characters.
    const candidates = dump
      .flatMap(formsOf)
      .filter((text) => text.length >= 10 && text.length <= 100)
    assert.ok(candidates.includes(hash))
    for (const password of new Set([
      ...candidates,
      ...hash.split('$').filter((part) => part.length >= 10),
    ])) {
      await pie.owner.query('delete from pie_private.throttles')
      const answer = await pie.request('/auth/login', {
        body: { email: 'ada@example.com', password },
      })
      assert.equal(answer.status, 401, password)
    }
  })

  test('holds no key that signs a token for a session in it', async () => {
    const texts = dump.flatMap(formsOf).map((text) => Buffer.from(text))
    const keys = dump.filter((value) => Buffer.isBuffer(value)).concat(texts)
    const [accessHeader, accessClaims] = ada.access_token.split('.')
    const [refreshHeader, refreshClaims] = ada.refresh_token.split('.')
    const sign = (key: Buffer, text: string) =>
      `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
    const { kid } = JSON.parse(Buffer.from(accessHeader, 'base64url').toString())
    const hs256 = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'at+jwt', kid }))
    for (const key of keys as Buffer[]) {
      const access = sign(key, `${hs256.toString('base64url')}.${accessClaims}`)
      assert.equal((await pie.request('/users/me', { token: access })).status, 401)
      const refresh_token = sign(key, `${refreshHeader}.${refreshClaims}`)
      const refreshed = await pie.request('/auth/refresh', { body: { refresh_token } })
      assertProblem(refreshed, 401, 'invalid_refresh_token')
    }
  })
})
