import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createRemoteJWKSet, decodeProtectedHeader, errors, jwtVerify } from 'jose'
import {
  type Answer,
  goodPassword,
  register,
  startTestPie,
  type TestPie,
} from '../../../../test/harness/pie.ts'

const issuer = 'http://localhost:3000'

let pie: TestPie
let ada: Answer['body']
/** What a service has that trusts Pie: its address, and nothing else. */
let keys: ReturnType<typeof createRemoteJWKSet>
before(async () => {
  pie = await startTestPie()
  await register(pie, 'ada')
  await pie.owner.query(`select pie_private.grant_role('ada@example.com', 'admin')`)
  const body = { email: 'ada@example.com', password: goodPassword }
  ada = (await pie.request('/auth/login', { body })).body
  keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', pie.pie.address))
})
after(() => pie.close())

describe('a third party with nothing but the published keys', () => {
  test('verifies an access token, and reads in it what RFC 9068 says', async () => {
    const verified = await jwtVerify(ada.access_token, keys, {
      issuer,
      audience: issuer,
      typ: 'at+jwt',
      algorithms: ['ES256'],
      requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
    })
    const { payload, protectedHeader } = verified
    assert.deepEqual(Object.keys(protectedHeader).toSorted(), ['alg', 'kid', 'typ'])
    assert.equal(payload.sub, ada.user.id)
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), ada.expires_in)
    assert.deepEqual(payload['roles'], ['admin', 'viewer'])
    assert.deepEqual(payload['permissions'], ada.user.permissions)
    assert.match(String(payload['sid']), /^[0-9a-f-]{36}$/)
  })

  test('finds nothing personal in it', async () => {
    const { payload } = await jwtVerify(ada.access_token, keys)
    assert.doesNotMatch(JSON.stringify(payload), /"ada|@|example\.com/)
  })

  test('finds a different identity in each token, so that one can be told from a copy', async () => {
    const { refresh_token } = ada
    const refreshed = await pie.request('/auth/refresh', { body: { refresh_token } })
    const [one, two] = await Promise.all(
      [ada.access_token, refreshed.body.access_token].map((token) => jwtVerify(token, keys)),
    )
    assert.notEqual(one?.payload.jti, two?.payload.jti)
    assert.equal(one?.payload['sid'], two?.payload['sid'])
  })

  test('refuses a refresh token', async () => {
    assert.equal(decodeProtectedHeader(ada.refresh_token).alg, 'HS256')
    await assert.rejects(jwtVerify(ada.refresh_token, keys), errors.JOSEError)
  })

  test('refuses a token whose claims were changed', async () => {
    const [header, claims, signature] = ada.access_token.split('.')
    const changed = JSON.parse(Buffer.from(claims, 'base64url').toString())
    changed.roles = ['owner']
    const text = Buffer.from(JSON.stringify(changed)).toString('base64url')
    const forged = `${header}.${text}.${signature}`
    await assert.rejects(jwtVerify(forged, keys), errors.JWSSignatureVerificationFailed)
  })
})

test('the published keys are public, and may be kept for five minutes', async () => {
  const answer = await pie.request('/.well-known/jwks.json')
  assert.equal(answer.headers.get('cache-control'), 'public, max-age=300')
  assert.equal(answer.body.keys.length, 1)
  for (const key of answer.body.keys) {
    const { x, y, kid, ...rest } = key
    assert.deepEqual(rest, { kty: 'EC', crv: 'P-256', use: 'sig', alg: 'ES256' })
    for (const text of [x, y, kid]) assert.match(text, /^[A-Za-z0-9_-]{43}$/)
  }
})
