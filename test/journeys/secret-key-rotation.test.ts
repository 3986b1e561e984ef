import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { rotateSigningKey } from '../../server/src/features/keys/rotate-signing-key.ts'
import { deriveKeys } from '../../server/src/ground/crypto/derive-keys.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { OperatorError } from '../../server/src/ground/errors.ts'
import { testSecretKey } from '../harness/cluster.ts'
import {
  type Answer,
  assertProblem,
  goodPassword,
  register,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

const newSecretKey = 'Zk3pW9xQ6vT1mR8nB4cJ7dL2sF5gH0yE-newer'
const bothKeys = `${newSecretKey},${testSecretKey}`

let pie: TestPie
let ada: Answer['body']
let grace: Answer['body']
before(async () => {
  pie = await startTestPie()
  ada = await register(pie, 'ada')
  grace = await register(pie, 'grace')
})
after(() => pie.close())

/** The roles' passwords are the server's, made from the old key: an operator gives them explicitly. */
function roleUrls(): Record<string, string> {
  const [keys] = deriveKeys([Secret.fromText(testSecretKey)])
  const urlAs = (user: string, password: Secret | undefined) => {
    const url = new URL(pie.databaseUrl)
    url.username = user
    url.password = password?.revealText() ?? ''
    return url.href
  }
  return {
    AUTH_DATABASE_URL: urlAs('pie_auth', keys?.authRolePassword),
    REQUEST_DATABASE_URL: urlAs('cream', keys?.requestRolePassword),
  }
}

const startWith = (SECRET_KEY: string, settings: Record<string, string> = {}) =>
  startTestPie({ databaseUrl: pie.databaseUrl, settings: { SECRET_KEY, ...settings } })

const me = (at: TestPie, token: string) => at.request('/users/me', { token })
const refresh = (at: TestPie, refresh_token: string) =>
  at.request('/auth/refresh', { body: { refresh_token } })

describe('a SECRET_KEY that is changed', () => {
  test('with the old one after a comma keeps everybody signed in, on every node', async () => {
    const changed = await startWith(bothKeys)
    try {
      assert.equal((await me(changed, ada.access_token)).body.email, 'ada@example.com')
      const refreshed = await refresh(changed, ada.refresh_token)
      assert.equal(refreshed.status, 200)
      assert.equal((await me(changed, refreshed.body.access_token)).status, 200)
      assert.equal((await me(changed, ada.access_token)).status, 200)
      ada = refreshed.body

      const body = { email: 'grace@example.com', password: goodPassword }
      const login = await changed.request('/auth/login', { body })
      assert.equal((await me(changed, login.body.access_token)).status, 200)
      assert.equal((await refresh(changed, login.body.refresh_token)).status, 200)
    } finally {
      await changed.close()
    }
  })

  test('with the old one before a comma first, lets nodes change one at a time', async () => {
    const prepared = await startWith(`${testSecretKey},${newSecretKey}`)
    const changed = await startWith(bothKeys)
    try {
      const moved = (await refresh(changed, grace.refresh_token)).body
      assert.equal((await me(prepared, moved.access_token)).status, 200)
      const back = (await refresh(prepared, moved.refresh_token)).body
      assert.equal((await me(changed, back.access_token)).status, 200)
      grace = back
    } finally {
      await prepared.close()
      await changed.close()
    }
  })

  test('alone does not open the signing keys: Pie refuses to start, and says what to do', async () => {
    await assert.rejects(startWith(newSecretKey, roleUrls()), (error) => {
      assert.ok(error instanceof OperatorError)
      assert.match(error.message, /SECRET_KEY does not open the signing key/)
      assert.match(error.message, /pie key rotate --now/)
      for (const key of [newSecretKey, testSecretKey]) {
        assert.equal(error.message.includes(key), false)
      }
      return true
    })
  })

  test('alone, after the signing keys have changed too, keeps those who have refreshed', async () => {
    const keys = deriveKeys(bothKeys.split(',').map((key) => Secret.fromText(key)))
    await rotateSigningKey(pie.owner, keys, { accessTokenSeconds: 1800, endOlderNow: true })
    const changed = await startWith(newSecretKey, roleUrls())
    try {
      const refreshed = await refresh(changed, ada.refresh_token)
      assert.equal(refreshed.status, 200)
      assert.equal((await me(changed, refreshed.body.access_token)).body.email, 'ada@example.com')
      // Grace's session was last refreshed by a node that signed with the old key.
      assertProblem(await refresh(changed, grace.refresh_token), 401, 'invalid_refresh_token')
    } finally {
      await changed.close()
    }
  })
})
