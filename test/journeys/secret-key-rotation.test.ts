import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { rotateSigningKey } from '../../server/src/features/keys/rotate-signing-key.ts'
import { hashProof, proveSession } from '../../server/src/features/sessions/prove-session.ts'
import { deriveKeys } from '../../server/src/ground/crypto/derive-keys.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import { OperatorError } from '../../server/src/ground/errors.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { graphqlData } from '../harness/graphql.ts'
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
/** The cookies of two browsers, signed by the old key. */
let edith: string
let joan: string
before(async () => {
  pie = await startTestPie()
  edith = await browse('edith')
  joan = await browse('joan')
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

const cookieOf = (answer: Answer): string =>
  answer.headers.getSetCookie()[0]?.split(';')[0] ?? 'none'

async function browse(name: string): Promise<string> {
  const body = { email: `${name}@example.com`, password: goodPassword, transport: 'cookie' }
  return cookieOf(await pie.request('/auth/register', { body }))
}

const who = (at: TestPie, cookie: string) => at.request('/auth/session', { headers: { cookie } })

const proofHashOf = async (sessionId: string): Promise<Buffer> => {
  const { rows } = await pie.owner.query(
    'select proof_hash from pie_private.sessions where id = $1',
    [sessionId],
  )
  return rows[0].proof_hash
}

const me = (at: TestPie, token: string) => at.request('/users/me', { token })
const renameMe = (id: string): string =>
  `mutation { updateUser(input: { id: "${id}", patch: { name: "Ada" } }) { user { id name } } }`
const refresh = (at: TestPie, refresh_token: string) =>
  at.request('/auth/refresh', { body: { refresh_token } })

describe('a SECRET_KEY that is changed', () => {
  test('with the old one after a comma keeps everybody signed in, on every node', async () => {
    const changed = await startWith(bothKeys)
    try {
      assert.equal((await me(changed, ada.access_token)).body.email, 'ada@example.com')
      for (const document of ['{ me { id } }', renameMe(ada.user.id)]) {
        const data = await graphqlData(changed, { token: ada.access_token }, document)
        assert.ok(JSON.stringify(data).includes(ada.user.id))
      }
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

  test('has cookies signed anew when they are next used, and the database agree', async () => {
    const changed = await startWith(bothKeys)
    try {
      const answer = await who(changed, edith)
      const { id } = answer.body.session
      const moved = cookieOf(answer)
      assert.equal(moved.split('.')[0], edith.split('.')[0])
      assert.notEqual(moved, edith)
      const [key] = deriveKeys([Secret.fromText(newSecretKey)])
      assert.ok(key)
      const [proof = Buffer.alloc(0)] = proveSession([key], id).proofs
      assert.deepEqual(await proofHashOf(id), hashProof(proof))

      const again = await who(changed, moved)
      assert.deepEqual([again.status, again.headers.getSetCookie()], [200, []])
      // A request that was sent with the old one meanwhile.
      assert.equal(cookieOf(await who(changed, edith)), moved)
      const headers = { cookie: moved }
      assert.equal((await changed.request('/users/me', { headers })).status, 200)
      edith = moved
    } finally {
      await changed.close()
    }
  })

  test('has a session that has expired renewed under the new key', async () => {
    const changed = await startWith(bothKeys)
    try {
      const old = await browse('mary')
      await pie.owner.query(
        `update pie_private.sessions set expires_at = now() - interval '1 second' where id = $1`,
        [old.slice('pie_session_3000='.length).split('.')[0]],
      )
      const renewed = cookieOf(await who(changed, old))
      assert.notEqual(renewed.split('.')[0], old.split('.')[0])
      const answer = await who(changed, renewed)
      assert.deepEqual([answer.status, answer.headers.getSetCookie()], [200, []])
    } finally {
      await changed.close()
    }
  })

  test('alone does not open the signing keys: Pie refuses to start, and says what to do', async () => {
    await assert.rejects(startWith(newSecretKey, roleUrls()), (error) => {
      assert.ok(error instanceof OperatorError)
      assert.match(error.message, /SECRET_KEY is not the one of this database.*Nothing was changed/)
      assert.match(error.message, /pie secret rotate --lost/)
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
      // So with cookies: Edith has used hers in between, and Joan has not.
      assert.equal((await who(changed, edith)).body.user?.email, 'edith@example.com')
      const headers = { cookie: edith }
      assert.equal((await changed.request('/users/me', { headers })).status, 200)
      assertProblem(await who(changed, joan), 401, 'unauthenticated')
    } finally {
      await changed.close()
    }
  })
})
