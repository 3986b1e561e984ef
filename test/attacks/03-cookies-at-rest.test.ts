import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { proveSession } from '../../server/src/features/sessions/prove-session.ts'
import { deriveKeys } from '../../server/src/ground/crypto/derive-keys.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { goodPassword, snapshot, startTestPie, type TestPie } from '../harness/pie.ts'

const keys = deriveKeys([Secret.fromText(testSecretKey)])

let pie: TestPie
let userId: string
/** Every cookie and CSRF token that was given out: of a first session, its renewal, and a password change. */
const cookies: string[] = []
const csrfTokens: string[] = []
before(async () => {
  pie = await startTestPie()
  const ask = async (path: string, options: Parameters<TestPie['request']>[1] = {}) => {
    const last = { cookie: cookies.at(-1) ?? '', 'x-csrf-token': csrfTokens.at(-1) ?? '' }
    const answer = await pie.request(path, { ...options, headers: last })
    const [cookie] = answer.headers.getSetCookie()
    if (cookie !== undefined) cookies.push(cookie.split(';')[0] ?? '')
    if (answer.body?.csrf_token !== undefined) csrfTokens.push(answer.body.csrf_token)
    return answer
  }
  const credentials = { email: 'ada@example.com', password: goodPassword, transport: 'cookie' }
  userId = (await ask('/auth/register', { body: credentials })).body.user.id
  await pie.owner.query(`update pie_private.sessions set expires_at = now() - interval '1 second'`)
  await ask('/auth/session')
  await ask('/auth/csrf')
  const passwords = { current_password: goodPassword, new_password: 'a horse of 7 staples' }
  await ask('/users/me/password', { method: 'PUT', body: passwords })
  await ask('/auth/sessions')
  // A bug: the whole story is logged, and no cookie in it.
  await pie.owner.query('alter function pie_schema.my_sessions rename to gone')
  assert.equal((await ask('/auth/sessions')).status, 500)
  await pie.owner.query('alter function pie_schema.gone rename to my_sessions')
  assert.deepEqual([cookies.length, csrfTokens.length], [3, 3])
})
after(() => pie.close())

const idOf = (cookie: string): string => /=([0-9a-f-]{36})\./.exec(cookie)?.[1] ?? 'none'

describe('of a cookie', () => {
  test('only the unsigned id, and the hash of its proof, are in the database', async () => {
    const tables = JSON.stringify(await snapshot(pie.owner))
    for (const cookie of cookies) {
      const id = idOf(cookie)
      assert.ok(tables.includes(id))
      const { rows } = await pie.owner.query(
        'select proof_hash from pie_private.sessions where id = $1',
        [id],
      )
      const [proof = Buffer.alloc(0)] = proveSession(keys, id).proofs
      assert.deepEqual(rows[0].proof_hash, createHash('sha256').update(proof).digest())
    }
  })

  test('neither signature nor proof nor CSRF token is in a table, in the log, or in what Postgres shows', async () => {
    const { rows } = await pie.owner.query(
      'select query from pg_stat_activity where datname = current_database()',
    )
    const places = {
      tables: JSON.stringify(await snapshot(pie.owner)),
      log: pie.log.join('\n'),
      statements: JSON.stringify(rows),
    }
    assert.match(places.log, /request failed/)
    const secrets = cookies.flatMap((cookie) => {
      const signature = cookie.split('.')[1] ?? ''
      const [proof = Buffer.alloc(0)] = proveSession(keys, idOf(cookie)).proofs
      const bytes = [proof, Buffer.from(signature, 'base64url')]
      const forms = (['hex', 'base64', 'base64url', 'latin1'] as const).flatMap((form) =>
        bytes.map((value) => value.toString(form)),
      )
      return [signature, ...forms]
    })
    for (const secret of [...secrets, ...csrfTokens]) {
      assert.ok(secret.length > 30)
      for (const [place, text] of Object.entries(places))
        assert.equal(text.includes(secret), false, `${place}: ${secret}`)
    }
  })
})

describe('a whole dump of the database', () => {
  test('holds nothing that completes a cookie, as a signature or as the key of one', async () => {
    const { rows: tables } = await pie.owner.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname in ('pie_schema', 'pie_private')`,
    )
    const values: Buffer[] = []
    for (const { name } of tables) {
      const { rows } = await pie.owner.query(`select * from ${name}`)
      for (const value of rows.flatMap((row) => Object.values(row)))
        values.push(Buffer.isBuffer(value) ? value : Buffer.from(String(value)))
    }
    const id = idOf(cookies.at(-1) ?? '')
    assert.ok(values.some((value) => value.toString() === id))
    const sign = (key: Buffer) => createHmac('sha256', key).update(id).digest('base64url')
    const signatures = new Set(
      values.flatMap((value) => [
        value.toString('latin1').replace(/[^\x20-\x7e]/g, ''),
        value.toString('base64url'),
        value.toString('hex'),
        createHash('sha256').update(value).digest('base64url'),
        sign(value),
        sign(createHash('sha256').update(value).digest()),
      ]),
    )
    assert.ok(signatures.size > 100)
    for (const signature of signatures) {
      const answer = await pie.request('/auth/session', {
        headers: { cookie: `pie_session_3000=${id}.${signature}` },
      })
      assert.equal(answer.status, 401, signature)
    }
    const good = await pie.request('/auth/session', { headers: { cookie: cookies.at(-1) ?? '' } })
    assert.equal(good.body.user.id, userId)
  })
})
