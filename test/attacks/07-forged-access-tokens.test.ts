import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { openPrivateKey } from '../../server/src/features/keys/signing-key.ts'
import { deriveKeys } from '../../server/src/ground/crypto/derive-keys.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { testSecretKey } from '../harness/cluster.ts'
import {
  type Answer,
  assertProblem,
  register,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

type Part = Record<string, unknown>

let pie: TestPie
let token: string
let refreshToken: string
let header: Part
let claims: Part
/** Pie's own private key, so that a token can be right in everything but one thing. */
let ownKey: KeyObject

const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')
const decode = (part = ''): Part => JSON.parse(Buffer.from(part, 'base64url').toString())
const without = (part: Part, name: string): Part =>
  Object.fromEntries(Object.entries(part).filter(([key]) => key !== name))

function signed(changedHeader: Part, changedClaims: unknown, key = ownKey): string {
  const text = `${encode(changedHeader)}.${encode(changedClaims)}`
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' })
  return `${text}.${signature.toString('base64url')}`
}

function hmacSigned(changedHeader: Part, secret: Buffer): string {
  const text = `${encode(changedHeader)}.${encode(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

const present = (authorization: string, path = '/users/me'): Promise<Answer> =>
  pie.request(path, { headers: { authorization } })

before(async () => {
  pie = await startTestPie()
  const ada = await register(pie, 'ada')
  token = ada.access_token
  refreshToken = ada.refresh_token
  header = decode(token.split('.')[0])
  claims = decode(token.split('.')[1])
  const { rows } = await pie.owner.query('select kid, sealed_private from pie_private.signing_keys')
  const { kid, sealed_private: sealedPrivate } = rows[0]
  const keys = deriveKeys([Secret.fromText(testSecretKey)])
  ownKey = openPrivateKey({ kid, sealedPrivate }, keys) as KeyObject
})
after(() => pie.close())

async function assertRefused(name: string, forged: string): Promise<void> {
  const earlier = await snapshot(pie.owner)
  const answer = await present(`Bearer ${forged}`)
  assert.equal(answer.status, 401, `${name}: ${JSON.stringify(answer.body)}`)
  assertProblem(answer, 401, 'unauthenticated')
  assert.equal(answer.headers.get('www-authenticate'), 'Bearer error="invalid_token"', name)
  assert.deepEqual(await snapshot(pie.owner), earlier, name)
}

describe('an access token', () => {
  test('is accepted when everything about it is right, signed here like there', async () => {
    assert.equal((await present(`Bearer ${signed(header, claims)}`)).body.email, 'ada@example.com')
  })

  test('is accepted whatever the case of the scheme (RFC 9110 section 11.1)', async () => {
    assert.equal((await present(`bearer ${token}`)).status, 200)
  })

  test('is refused when it is malformed', async () => {
    const [first = '', second = '', third = ''] = token.split('.')
    const malformed = {
      'one letter': 'x',
      dots: '..',
      truncated: token.slice(0, -5),
      'without a signature': `${first}.${second}.`,
      'two parts': `${first}.${second}`,
      doubled: `${token}.${token}`,
      'four parts': `${token}.${third}`,
      'another signature': `${first}.${second}.${Buffer.alloc(64).toString('base64url')}`,
      'a short signature': `${first}.${second}.AAAA`,
      'another header': `${encode({ ...header, typ: 'JWT' })}.${second}.${third}`,
      'another subject': `${first}.${encode({ ...claims, sub: claims['sid'] })}.${third}`,
      'no JSON': `${Buffer.from('{').toString('base64url')}.${second}.${third}`,
      'claims that are a list': signed(header, []),
      'claims that are null': signed(header, null),
      'over-long': `${token}${'A'.repeat(10_000)}`,
    }
    for (const [name, forged] of Object.entries(malformed)) await assertRefused(name, forged)
  })

  test('is refused when another key signed it, whatever the header says of that key', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = publicKey.export({ format: 'jwk' })
    const publicPem = createPublicKey(ownKey).export({ type: 'spki', format: 'pem' })
    const publicDer = createPublicKey(ownKey).export({ type: 'spki', format: 'der' })
    const published = (await pie.request('/.well-known/jwks.json')).body.keys[0]
    const hs256 = { ...header, alg: 'HS256' }
    const forgeries = {
      'the same kid': signed(header, claims, privateKey),
      jwk: signed({ ...header, jwk }, claims, privateKey),
      'jwk without a kid': signed({ ...without(header, 'kid'), jwk }, claims, privateKey),
      jku: signed({ ...header, jku: `${pie.pie.address}/keys` }, claims, privateKey),
      x5u: signed({ ...header, x5u: `${pie.pie.address}/keys` }, claims, privateKey),
      x5c: signed({ ...header, x5c: [publicDer.toString('base64')] }, claims, privateKey),
      'alg none': `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
      'alg None': `${encode({ ...header, alg: 'None' })}.${encode(claims)}.AAAA`,
      'no alg': signed(without(header, 'alg'), claims),
      'HS256 with the public key': hmacSigned(hs256, Buffer.from(publicPem)),
      'HS256 with the public key in DER': hmacSigned(hs256, publicDer),
      'HS256 with the published key': hmacSigned(hs256, Buffer.from(JSON.stringify(published))),
      'HS256 with nothing': hmacSigned(hs256, Buffer.alloc(0)),
      'HS256 with the key id': hmacSigned(hs256, Buffer.from(String(header['kid']))),
    }
    for (const [name, forged] of Object.entries(forgeries)) await assertRefused(name, forged)
  })

  test('is refused when its header asks for what nobody knows', async () => {
    const kids = {
      'no kid': without(header, 'kid'),
      'an unknown kid': { ...header, kid: 'AAAA' },
      'a path as kid': { ...header, kid: '../../../../dev/null' },
      'SQL as kid': { ...header, kid: `' or true; drop table pie_private.signing_keys; --` },
      'a number as kid': { ...header, kid: 1 },
      'a list as kid': { ...header, kid: [header['kid']] },
      '__proto__ as kid': { ...header, kid: '__proto__' },
      'an unknown critical extension': { ...header, crit: ['exp'], exp: 1 },
      'an empty crit': { ...header, crit: [] },
      'an unencoded payload': { ...header, crit: ['b64'], b64: false },
      'no typ': without(header, 'typ'),
      'typ JWT': { ...header, typ: 'JWT' },
      'typ of a refresh token': { ...header, typ: 'rt+jwt' },
    }
    for (const [name, changed] of Object.entries(kids))
      await assertRefused(name, signed(changed, claims))
  })

  test('is refused when its claims are not for this service and this time', async () => {
    const now = Math.floor(Date.now() / 1000)
    const changes = {
      'another issuer': { ...claims, iss: 'https://evil.example' },
      'the issuer with a slash': { ...claims, iss: `${claims['iss']}/` },
      'no issuer': without(claims, 'iss'),
      'another audience': { ...claims, aud: 'https://api.example' },
      'no audience': without(claims, 'aud'),
      'no expiry': without(claims, 'exp'),
      'an expiry that is no number': { ...claims, exp: '9999999999' },
      'an expiry that has passed': { ...claims, exp: now - 1 },
      'a beginning that is yet to come': { ...claims, nbf: now + 3600 },
      'no subject': without(claims, 'sub'),
      'no session': without(claims, 'sid'),
      'a session that is a number': { ...claims, sid: 1 },
      'a session that never was': { ...claims, sid: '00000000-0000-4000-8000-000000000000' },
    }
    for (const [name, changed] of Object.entries(changes))
      await assertRefused(name, signed(header, changed))
  })

  test('is not what a refresh token is, nor the other way round', async () => {
    await assertRefused('a refresh token', refreshToken)
    const earlier = await snapshot(pie.owner)
    const refreshed = await pie.request('/auth/refresh', { body: { refresh_token: token } })
    assertProblem(refreshed, 401, 'invalid_refresh_token')
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })
})
