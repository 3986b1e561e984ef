import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { TRUST_MS } from '../../server/src/ground/cache/protocol.ts'
import { until } from '../harness/nodes.ts'
import {
  type Answer,
  assertProblem,
  goodPassword,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

let nodes: TestPie[]
let first: TestPie
before(async () => {
  first = await startTestPie()
  const { databaseUrl } = first
  nodes = [first, await startTestPie({ databaseUrl }), await startTestPie({ databaseUrl })]
})
after(async () => {
  for (const node of [...nodes].reverse()) await node.close()
})

interface Browser {
  id: string
  headers: { cookie: string; 'x-csrf-token': string }
}

let people = 0
let email: string
let userId: string
let laptop: Browser
/** Its session has expired, and could be renewed. */
let phone: Browser

async function browse(path: string): Promise<Browser> {
  const body = { email, password: goodPassword, transport: 'cookie' }
  const answer = await first.request(path, { body })
  userId = answer.body.user.id
  const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  return {
    id: answer.body.session.id,
    headers: { cookie, 'x-csrf-token': answer.body.csrf_token },
  }
}

const see = (node: TestPie, { headers }: Browser, path = '/auth/session'): Promise<Answer> =>
  node.request(path, { headers })

beforeEach(async () => {
  people += 1
  email = `ada${people}@example.com`
  laptop = await browse('/auth/register')
  phone = await browse('/auth/login')
  await first.owner.query(
    `update pie_private.sessions set expires_at = now() - interval '1 minute' where id = $1`,
    [phone.id],
  )
  // Every node has the laptop's session in its cache.
  for (const node of nodes) assert.equal((await see(node, laptop)).status, 200)
})

async function assertShutOut(): Promise<void> {
  const earlier = await snapshot(first.owner, ['pie_private.throttles', 'pie_private.audit_log'])
  for (const node of nodes) {
    for (const browser of [laptop, phone]) {
      for (const path of ['/auth/session', '/users/me', '/auth/sessions', '/auth/csrf']) {
        const answer = await see(node, browser, path)
        assertProblem(answer, 401, 'unauthenticated')
        assert.deepEqual(answer.headers.getSetCookie(), [])
      }
      const { headers } = browser
      const changes = [
        ['PATCH', '/users/me', { name: 'Still here' }],
        ['PUT', '/users/me/password', { current_password: goodPassword, new_password: 'x' }],
        ['DELETE', '/auth/sessions', undefined],
      ] as const
      for (const [method, path, body] of changes)
        assertProblem(await node.request(path, { method, headers, body }), 401, 'unauthenticated')
    }
    const body = { email, password: goodPassword, transport: 'cookie' }
    const login = await node.request('/auth/login', { body })
    assertProblem(login, 401, 'invalid_credentials')
  }
  const later = await snapshot(first.owner, ['pie_private.throttles', 'pie_private.audit_log'])
  assert.deepEqual(later, earlier)
}

/** What another connection has done is refused by every node's cache, mostly at once. */
async function untilShutOut(): Promise<void> {
  await Promise.all(
    nodes.map((node) => until(async () => (await see(node, laptop)).status === 401, TRUST_MS)),
  )
}

const byUser = (sql: string) => first.owner.query(sql, [userId])

describe('the cookies of a user, on every node,', () => {
  test('are refused within two seconds of disabling, and so is every renewal', async () => {
    await byUser('update pie_schema.users set disabled_at = now() where id = $1')
    await untilShutOut()
    await assertShutOut()
  })

  test('stay refused when the user is enabled again, who may sign in', async () => {
    await byUser('update pie_schema.users set disabled_at = now() where id = $1')
    await byUser('update pie_schema.users set disabled_at = null where id = $1')
    await untilShutOut()
    for (const node of nodes)
      assertProblem(await see(node, phone, '/users/me'), 401, 'unauthenticated')
    const next = await browse('/auth/login')
    for (const node of nodes) assert.equal((await see(node, next)).status, 200)
  })

  test('are refused within a second of deleting', async () => {
    await byUser('delete from pie_schema.users where id = $1')
    await untilShutOut()
    await assertShutOut()
  })

  test('have no successor that a renewal at the same time leaves behind', async () => {
    const renewals = Promise.all(
      Array.from({ length: 12 }, (_, index) => see(nodes[index % 3] ?? first, phone)),
    )
    await byUser('update pie_schema.users set disabled_at = now() where id = $1')
    await renewals
    const { rows } = await byUser(
      'select from pie_private.sessions where user_id = $1 and revoked_at is null',
    )
    assert.equal(rows.length, 0)
    await untilShutOut()
    await assertShutOut()
  })
})

describe('a device that is signed out', () => {
  test('is refused by the node that did it from its answer on, by the others within a second', async () => {
    const other = await browse('/auth/login')
    for (const node of nodes) assert.equal((await see(node, other)).status, 200)
    const ending = await first.request(`/auth/sessions/${laptop.id}`, {
      method: 'DELETE',
      headers: other.headers,
    })
    assert.equal(ending.status, 204)
    assertProblem(await see(first, laptop), 401, 'unauthenticated')
    await untilShutOut()
    for (const node of nodes) assert.equal((await see(node, other)).status, 200)
  })
})
