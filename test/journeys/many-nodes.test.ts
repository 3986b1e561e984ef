import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { cacheStatus, type Nodes, startNodes, until } from '../harness/nodes.ts'
import { type Answer, assertProblem, goodPassword, type TestPie } from '../harness/pie.ts'
import { startValkey, type Valkey } from '../harness/valkey.ts'

/** The promise: whatever has changed, no node believes the old for longer. */
const HEARD_WITHIN_MS = 2_000

/** A browser, which keeps its cookie as it is told. */
function openBrowser() {
  let cookie = ''
  let csrfToken = ''
  const request = async (node: Pick<TestPie, 'request'>, path: string, options = {}) => {
    const headers = { cookie, 'x-csrf-token': csrfToken }
    const answer = await node.request(path, { headers, ...options })
    cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? cookie
    return answer
  }
  return {
    request,
    who: (node: Pick<TestPie, 'request'>): Promise<Answer> => request(node, '/auth/session'),
    signIn: async (node: Pick<TestPie, 'request'>, path: string, email: string) => {
      const body = { email, password: goodPassword, transport: 'cookie' }
      const answer = await request(node, path, { body })
      csrfToken = answer.body.csrf_token
      return answer
    },
  }
}

type Browser = ReturnType<typeof openBrowser>

let valkey: Valkey
before(async () => {
  valkey = await startValkey()
})
after(() => valkey.stop())

for (const [words, settings] of [
  ['with a shared cache', () => ({ CACHE_URL: valkey.url })],
  ['without a shared cache', () => ({})],
] as const) {
  describe(`three nodes behind nothing but round robin, ${words}`, () => {
    let nodes: Nodes
    let browser: Browser
    let email: string
    let people = 0
    before(async () => {
      nodes = await startNodes(settings())
    })
    after(() => nodes.close())
    beforeEach(async () => {
      people += 1
      email = `ada${people}@example.com`
      browser = openBrowser()
      assert.equal((await browser.signIn(nodes, '/auth/register', email)).status, 201)
    })

    /** Every node is asked, and comes to answer so. */
    const allAnswer = (isSo: (answer: Answer) => boolean, by: Browser = browser) =>
      Promise.all(
        nodes.all.map((node) => until(async () => isSo(await by.who(node)), HEARD_WITHIN_MS)),
      )
    const allRefuse = async (by: Browser = browser) => {
      await allAnswer(({ status }) => status === 401, by)
      for (const node of nodes.all) assertProblem(await by.who(node), 401, 'unauthenticated')
    }
    const change = (sql: string) => nodes.owner.query(sql, [email])

    test('whoever signs in at one is signed in at all', async () => {
      for (let times = 0; times < 6; times += 1) {
        const session = await browser.who(nodes)
        assert.equal(session.body.user.email, email)
        const me = await browser.request(nodes, '/users/me')
        assert.deepEqual(me.body, session.body.user)
      }
      assertProblem(await openBrowser().who(nodes), 401, 'unauthenticated')
    })

    test('a name changed at one is new there at once, and at all of them soon', async () => {
      await allAnswer(({ body }) => body.user.name === null)
      const [first] = nodes.all
      const options = { method: 'PATCH', body: { name: 'Ada' } }
      assert.equal((await browser.request(first, '/users/me', options)).status, 200)
      assert.equal((await browser.who(first)).body.user.name, 'Ada')
      await allAnswer(({ body }) => body.user.name === 'Ada')
    })

    test('every device of a user sees the change', async () => {
      const phone = openBrowser()
      assert.equal((await phone.signIn(nodes, '/auth/login', email)).status, 200)
      await allAnswer(({ status }) => status === 200, phone)
      const options = { method: 'PATCH', body: { name: 'Ada' } }
      await browser.request(nodes.all[2], '/users/me', options)
      assert.equal((await phone.who(nodes.all[2])).body.user.name, 'Ada')
      await allAnswer(({ body }) => body.user.name === 'Ada', phone)
    })

    test('a role given with SQL, and taken away again, is so at all of them', async () => {
      await allAnswer(({ body }) => body.user.roles.length === 1)
      await change(`select pie_private.grant_role($1, 'admin')`)
      await allAnswer(({ body }) => body.user.roles.includes('admin'))
      await change(`select pie_private.revoke_role($1, 'admin')`)
      await allAnswer(({ body }) => !body.user.roles.includes('admin'))
      await allAnswer(({ status }) => status === 200)
    })

    const byEmail = '(select user_id from pie_schema.user_emails where email = $1)'
    const endings = {
      'a user disabled with SQL': `update pie_schema.users set disabled_at = now() where id = ${byEmail}`,
      'a session ended with a plain update': `update pie_private.sessions
         set revoked_at = now(), revoked_reason = 'ended_by_user' where user_id = ${byEmail}`,
      'a session that a plain delete takes away': `delete from pie_private.sessions where user_id = ${byEmail}`,
      'a user who is deleted': `delete from pie_schema.users where id = ${byEmail}`,
    }
    for (const [what, sql] of Object.entries(endings)) {
      test(`${what} is refused by all of them, and nobody else is`, async () => {
        const other = openBrowser()
        await other.signIn(nodes, '/auth/register', `other-${email}`)
        for (const by of [browser, other]) await allAnswer(({ status }) => status === 200, by)
        await change(sql)
        await allRefuse()
        for (const node of nodes.all) assert.equal((await other.who(node)).status, 200)
      })
    }

    test('what signs out at the third is refused there at once, and by all of them soon', async () => {
      const phone = openBrowser()
      await phone.signIn(nodes, '/auth/login', email)
      await allAnswer(({ status }) => status === 200, phone)
      const { body } = await phone.who(nodes)
      const [, , third] = nodes.all
      const path = `/auth/sessions/${body.session.id}`
      assert.equal((await browser.request(third, path, { method: 'DELETE' })).status, 204)
      assertProblem(await phone.who(third), 401, 'unauthenticated')
      await allRefuse(phone)
      for (const node of nodes.all) assert.equal((await browser.who(node)).status, 200)
    })

    test('what one has read, another need not ask Postgres for where they share a cache', async () => {
      const [reading, , answering] = nodes.all
      const id = (await browser.who(reading)).body.session.id
      await until(async () => (await cacheStatus(answering)).hears)
      const { shared, ...earlier } = await cacheStatus(answering)
      const isShared = shared === 'connected'
      if (isShared) await until(async () => (await valkey.findKey(id)) !== null)
      assert.equal((await browser.who(answering)).body.user.email, email)
      assert.equal((await browser.who(answering)).body.user.email, email)
      const { reads, shared_hits, hits } = await cacheStatus(answering)
      assert.deepEqual(
        { reads: reads - earlier.reads, shared: shared_hits - earlier.shared_hits, hits },
        { reads: isShared ? 0 : 1, shared: isShared ? 1 : 0, hits: earlier.hits + 1 },
      )
      assert.equal(isShared, 'CACHE_URL' in settings())
    })
  })
}
