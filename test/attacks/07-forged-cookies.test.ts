import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { deriveKeys } from '../../server/src/ground/crypto/derive-keys.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { goodPassword, snapshot, startTestPie, type TestPie } from '../harness/pie.ts'

const [keys] = deriveKeys([Secret.fromText(testSecretKey)])
assert.ok(keys)

let pie: TestPie
let holder: pg.Client
/** The value of a good cookie, and its two parts. */
let good: string
let id: string
let signature: string
let csrf: string
before(async () => {
  pie = await startTestPie()
  holder = new pg.Client({ connectionString: pie.databaseUrl })
  await holder.connect()
  const body = { email: 'ada@example.com', password: goodPassword, transport: 'cookie' }
  const answer = await pie.request('/auth/register', { body })
  good = /=([^;]+)/.exec(answer.headers.getSetCookie()[0] ?? '')?.[1] ?? ''
  ;[id = '', signature = ''] = good.split('.')
  csrf = answer.body.csrf_token
})
after(async () => {
  await holder.end()
  await pie.close()
})

interface Seen {
  status: number
  code: string
  setsCookie: boolean
}

/** By node:http, which sends what fetch would refuse to. */
const ask = (path: string, cookie: string, method = 'GET'): Promise<Seen> =>
  new Promise((resolve, reject) => {
    const headers = { cookie: Buffer.from(cookie).toString('latin1'), 'x-csrf-token': csrf }
    httpRequest(`${pie.pie.address}${path}`, { method, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const code = text === '' ? '' : JSON.parse(text).code
        const setsCookie = response.headers['set-cookie'] !== undefined
        resolve({ status: response.statusCode ?? 0, code, setsCookie })
      })
    })
      .once('error', reject)
      .end()
  })

const anonymous: Seen = { status: 401, code: 'unauthenticated', setsCookie: false }

/** Nobody may look at the sessions meanwhile: whatever asks Postgres about one waits, and the test fails. */
async function assertAnonymousWithoutQuery(cookies: string[]): Promise<void> {
  const earlier = await snapshot(pie.owner)
  await holder.query('begin')
  await holder.query('lock table pie_private.sessions in access exclusive mode')
  try {
    for (const cookie of cookies) {
      assert.deepEqual(await ask('/auth/session', cookie), anonymous, JSON.stringify(cookie))
      assert.deepEqual(await ask('/users/me', cookie), anonymous, JSON.stringify(cookie))
      const ending = await ask('/auth/sessions', cookie, 'DELETE')
      assert.deepEqual(ending, anonymous, JSON.stringify(cookie))
      const logout = await ask('/auth/logout', cookie, 'POST')
      assert.deepEqual(logout, anonymous, JSON.stringify(cookie))
    }
  } finally {
    await holder.query('rollback')
  }
  assert.deepEqual(await snapshot(pie.owner), earlier)
}

const signed = (key: Buffer, text = id): string =>
  createHmac('sha256', key).update(text).digest('base64url')

/** Another last letter that decodes to the same bytes: the last of 43 carries four bits of six. */
function nonCanonical(text: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = letters.indexOf(text.at(-1) ?? '')
  return text.slice(0, -1) + letters[last ^ 1]
}

const named = (values: string[]) => values.map((value) => `pie_session_3000=${value}`)

describe('a cookie that no key of ours has signed is nobody, and Postgres is not asked:', () => {
  test('malformed, truncated, or too long', async () => {
    const lengths = Array.from({ length: good.length }, (_, length) => good.slice(0, length))
    const long = ['A'.repeat(4_000), `${good}${'A'.repeat(4_000)}`, `${'0'.repeat(8_000)}.x`]
    const odd = ['.', '..', `${id}.`, `.${signature}`, 'null', '{}', '0', `${id} ${signature}`]
    await assertAnonymousWithoutQuery(named([...lengths, ...long, ...odd]))
  })

  test('doubled, or with something around it', async () => {
    await assertAnonymousWithoutQuery(
      named([
        `${good}${good}`,
        `${good}.${good}`,
        `${good}.`,
        `${good}=`,
        `.${good}`,
        `"${good}"`,
        `'${good}'`,
        `${good},${good}`,
        `${good}/x`,
        `=${good}`,
        `${signature}.${id}`,
        `${id}.${signature}.${signature}`,
      ]),
    )
  })

  test('spelled otherwise', async () => {
    const percent = (text: string) => text.replace(/./g, (c) => `%${c.charCodeAt(0).toString(16)}`)
    const bytes = Buffer.from(signature, 'base64url')
    assert.deepEqual(Buffer.from(nonCanonical(signature), 'base64url'), bytes)
    await assertAnonymousWithoutQuery(
      named([
        good.toUpperCase(),
        `${id.toUpperCase()}.${signature}`,
        `${id.toUpperCase()}.${signed(keys.sessionSignature.reveal(), id.toUpperCase())}`,
        `${id.replaceAll('-', '')}.${signature}`,
        `{${id}}.${signature}`,
        `${id}.${nonCanonical(signature)}`,
        `${id}.${signature}=`,
        `${id}.${bytes.toString('base64')}`,
        `${id}.${bytes.toString('hex')}`,
        percent(good),
        good.replace('.', '%2e'),
        good.replace('.', '．'),
        good.replace('-', '‐'),
        `${good}\u200b`,
        `\u00a0${good}é`,
        `ünï.${signature}`,
      ]),
    )
  })

  test('signed with another key, or with a key of ours that is for something else', async () => {
    const ofOurs = Object.entries(keys).filter(([name]) => name !== 'sessionSignature')
    assert.ok(ofOurs.length >= 8)
    const others = [
      randomBytes(32),
      Buffer.alloc(0),
      Buffer.alloc(32),
      Buffer.from(testSecretKey),
      Buffer.from(id),
      ...ofOurs.map(([, key]) => (key as Secret).reveal()),
    ]
    const another = '3f1c2c5e-1111-4222-8333-444455556666'
    await assertAnonymousWithoutQuery(
      named([...others.map((key) => `${id}.${signed(key)}`), `${another}.${signature}`]),
    )
  })

  test('under another name', async () => {
    await assertAnonymousWithoutQuery(
      [
        'session',
        'pie_session',
        'pie_session_3001',
        'Pie_session_3000',
        'PIE_SESSION_3000',
        'pie_session_30002',
        'pie-session_3000',
        '__Host-pie_session',
        '__Host-pie_session_3000',
      ]
        .map((name) => `${name}=${good}`)
        .concat(good, `pie_session_3000 ${good}`, `pie_session_3000`, `x=pie_session_3000=${good}`),
    )
  })

  test('four hundred that chance has made', async () => {
    const bytesOf = (length: number) => randomBytes(length).toString('latin1')
    const letter = (text: string) =>
      [...text].map((c) => (c < ' ' || c === '\x7f' || c === ';' ? 'x' : c)).join('')
    const pick = (below: number) => randomBytes(4).readUInt32LE() % below
    const makers: (() => string)[] = [
      () => letter(bytesOf(pick(200))),
      () => `${id}.${randomBytes(32).toString('base64url')}`,
      () => `${id}.${letter(bytesOf(43))}`,
      () => {
        const at = pick(good.length)
        const changed = letter(bytesOf(1))
        return good[at] === changed ? 'x' : good.slice(0, at) + changed + good.slice(at + 1)
      },
    ]
    const cookies = Array.from({ length: 100 }, () => makers.map((make) => make())).flat()
    await assertAnonymousWithoutQuery(named(cookies))
  })

  test('and the good one is still good', async () => {
    const expected = { status: 200, code: undefined, setsCookie: false }
    assert.deepEqual(await ask('/users/me', `pie_session_3000=${good}`), expected)
    assert.deepEqual(await ask('/users/me', `a=b; pie_session_3000=${good}; c=d`), expected)
  })
})
