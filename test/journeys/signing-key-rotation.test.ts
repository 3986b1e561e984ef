import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { rotateSigningKey } from '../../server/src/features/keys/rotate-signing-key.ts'
import { deriveKeys } from '../../server/src/ground/crypto/derive-keys.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { testSecretKey } from '../harness/cluster.ts'
import {
  type Answer,
  assertProblem,
  goodPassword,
  register,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

const keys = deriveKeys([Secret.fromText(testSecretKey)])
const minute = 60

let pie: TestPie
let ada: Answer['body']
beforeEach(async () => {
  pie = await startTestPie()
  ada = await register(pie, 'ada')
})
afterEach(() => pie.close())

const rotate = (endOlderNow: boolean) =>
  rotateSigningKey(pie.owner, keys, { accessTokenSeconds: 30 * minute, endOlderNow })

const kidOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid

const published = async (at: TestPie): Promise<string[]> =>
  (await at.request('/.well-known/jwks.json')).body.keys.map(({ kid }: { kid: string }) => kid)

const signIn = async (at: TestPie): Promise<string> => {
  const body = { email: 'ada@example.com', password: goodPassword }
  return (await at.request('/auth/login', { body })).body.access_token
}

const me = (at: TestPie, token: string) => at.request('/users/me', { token })

describe('a signing key that is rotated', () => {
  test('is published before it signs; the older one is accepted as long as its tokens live', async () => {
    const { kid, signsAfterSeconds, olderEndAfterSeconds } = await rotate(false)
    // A node reads the keys at its start, and every minute.
    const node = await startTestPie({ databaseUrl: pie.databaseUrl })
    try {
      const older = kidOf(ada.access_token)
      assert.deepEqual((await published(node)).toSorted(), [kid, older].toSorted())
      assert.equal(kidOf(await signIn(node)), older)
      assert.ok(signsAfterSeconds >= 5 * minute, 'readers keep what is published for five minutes')

      node.passSeconds(signsAfterSeconds - 5)
      const lastOfOlder = await signIn(node)
      assert.equal(kidOf(lastOfOlder), older)
      node.passSeconds(10)
      const firstOfNew = await signIn(node)
      assert.equal(kidOf(firstOfNew), kid)
      for (const token of [ada.access_token, lastOfOlder, firstOfNew]) {
        assert.equal((await me(node, token)).status, 200)
      }

      node.passSeconds(30 * minute - 20)
      assert.equal((await me(node, lastOfOlder)).status, 200)
      node.passSeconds(olderEndAfterSeconds - signsAfterSeconds)
      assert.deepEqual(await published(node), [kid])
    } finally {
      await node.close()
    }
  })

  test('is known to every node within a minute or so, and none signs with one that others lack', async () => {
    const { kid } = await rotate(false)
    pie.passSeconds(10 * minute + 5)
    // This node has not read the keys again: it goes on with the one it knows, which all accept.
    const token = await signIn(pie)
    assert.notEqual(kidOf(token), kid)
    const node = await startTestPie({ databaseUrl: pie.databaseUrl })
    assert.equal((await me(node, token)).status, 200)
    await node.close()
  })

  test('ends the older ones at once when somebody else may have them', async () => {
    const { kid } = await rotate(true)
    const node = await startTestPie({ databaseUrl: pie.databaseUrl })
    try {
      assert.deepEqual(await published(node), [kid])
      assertProblem(await me(node, ada.access_token), 401, 'unauthenticated')
      const { refresh_token } = ada
      const refreshed = await node.request('/auth/refresh', { body: { refresh_token } })
      assert.equal(kidOf(refreshed.body.access_token), kid)
      assert.equal((await me(node, refreshed.body.access_token)).status, 200)
    } finally {
      await node.close()
    }
  })

  test('is written in the audit log, without its private half', async () => {
    const { kid } = await rotate(false)
    const { rows } = await pie.owner.query(
      `select detail from pie_private.audit_log where event = 'signing_key.rotated'`,
    )
    assert.deepEqual(rows, [{ detail: { kid } }])
  })

  test('leaves a database in which no key is stored open', async () => {
    await rotate(false)
    const { rows } = await pie.owner.query<{ public_jwk: object; sealed: Buffer }>(
      'select public_jwk, sealed_private as sealed from pie_private.signing_keys',
    )
    assert.equal(rows.length, 2)
    for (const { public_jwk, sealed } of rows) {
      assert.deepEqual(Object.keys(public_jwk).toSorted(), [
        'alg',
        'crv',
        'kid',
        'kty',
        'use',
        'x',
        'y',
      ])
      // PKCS #8 of an EC key holds the identifier of the curve.
      assert.equal(sealed.includes(Buffer.from('2a8648ce3d030107', 'hex')), false)
    }
  })
})
