import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { deriveKeys } from '../../server/src/ground/crypto/derive-keys.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { assertProblem, register, snapshot, startTestPie, type TestPie } from '../harness/pie.ts'

type Part = Record<string, unknown>

const keys = deriveKeys([Secret.fromText(testSecretKey)])
const ownKey = keys[0]?.refreshToken.reveal() ?? Buffer.alloc(0)

let pie: TestPie
let token: string
let header: Part
let claims: Part

const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')
const decode = (part = ''): Part => JSON.parse(Buffer.from(part, 'base64url').toString())
const without = (part: Part, name: string): Part =>
  Object.fromEntries(Object.entries(part).filter(([key]) => key !== name))

function signed(changedHeader: Part, changedClaims: unknown, key = ownKey): string {
  const text = `${encode(changedHeader)}.${encode(changedClaims)}`
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
}

before(async () => {
  pie = await startTestPie()
  token = (await register(pie, 'ada')).refresh_token
  header = decode(token.split('.')[0])
  claims = decode(token.split('.')[1])
})
after(() => pie.close())

async function assertRefused(forgeries: Record<string, string>): Promise<void> {
  const earlier = await snapshot(pie.owner)
  for (const [name, forged] of Object.entries(forgeries)) {
    const answer = await pie.request('/auth/refresh', { body: { refresh_token: forged } })
    assert.equal(answer.status, 401, `${name}: ${JSON.stringify(answer.body)}`)
    assertProblem(answer, 401, 'invalid_refresh_token')
    const logout = await pie.request('/auth/logout', { body: { refresh_token: forged } })
    assert.equal(logout.status, 401, name)
    assertProblem(logout, 401, 'unauthenticated')
  }
  assert.deepEqual(await snapshot(pie.owner), earlier)
}

describe('a refresh token', () => {
  test('is refused when it is malformed', async () => {
    const [first = '', second = '', third = ''] = token.split('.')
    await assertRefused({
      'one letter': 'x',
      dots: '..',
      truncated: token.slice(0, -4),
      'without a signature': `${first}.${second}.`,
      doubled: `${token}.${token}`,
      'another generation': `${first}.${encode({ ...claims, generation: 1 })}.${third}`,
      'claims that are null': signed(header, null),
      'NUL in it': `${token}\0`,
      'a line break in it': `${first}.\r\n${second}.${third}`,
      'as long as may be': `${token}${'A'.repeat(4096 - token.length)}`,
    })
    const tooLong = await pie.request('/auth/refresh', {
      body: { refresh_token: 'A'.repeat(4097) },
    })
    assertProblem(tooLong, 400, 'invalid_request')
  })

  test('is refused when another key, or none, signed it', async () => {
    await assertRefused({
      'another key': signed(header, claims, randomBytes(32)),
      'no key': signed(header, claims, Buffer.alloc(0)),
      'the SECRET_KEY itself': signed(header, claims, Buffer.from(testSecretKey)),
      'the key of session proofs': signed(header, claims, keys[0]?.sessionProof.reveal()),
      'alg none': `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
      'alg HS512': signed({ ...header, alg: 'HS512' }, claims),
      'alg ES256': signed({ ...header, alg: 'ES256' }, claims),
      'a key of its own': signed(
        { ...header, jwk: { kty: 'oct', k: 'AAAA' } },
        claims,
        Buffer.alloc(3),
      ),
      'no typ': signed(without(header, 'typ'), claims),
      'the typ of an access token': signed({ ...header, typ: 'at+jwt' }, claims),
      'an unknown critical extension': signed({ ...header, crit: ['x'], x: 1 }, claims),
    })
  })

  test('is refused when its claims are not for this service, this session and this time', async () => {
    await assertRefused({
      'another issuer': signed(header, { ...claims, iss: 'https://evil.example' }),
      'no issuer': signed(header, without(claims, 'iss')),
      'no expiry': signed(header, without(claims, 'exp')),
      'an expiry that has passed': signed(header, { ...claims, exp: 1 }),
      'no session': signed(header, without(claims, 'sid')),
      'no generation': signed(header, without(claims, 'generation')),
      'a generation that is text': signed(header, { ...claims, generation: '0' }),
    })
    const unknown = { ...claims, sid: '00000000-0000-4000-8000-000000000000' }
    const earlier = await snapshot(pie.owner)
    for (const changed of [unknown, { ...claims, generation: 7 }]) {
      const refresh_token = signed(header, changed)
      const answer = await pie.request('/auth/refresh', { body: { refresh_token } })
      assertProblem(answer, 401, 'invalid_refresh_token')
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('is accepted after all that, so it was none of that', async () => {
    const answer = await pie.request('/auth/refresh', {
      body: { refresh_token: signed(header, claims) },
    })
    assert.equal(answer.status, 200)
  })
})
