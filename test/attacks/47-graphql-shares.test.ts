import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { askGraphql, type GraphqlOptions } from '../harness/graphql.ts'
import { notesSchema } from '../harness/graphql-notes.ts'
import { addBrowser, type Browser, untilWaiting } from '../harness/nodes.ts'
import {
  type Answer,
  assertProblem,
  goodPassword,
  register,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

const MOST_COST = 10
const CONNECTIONS = 4

let pie: TestPie
let ada: string
let ben: string
before(async () => {
  pie = await startTestPie({
    settings: {
      GRAPHQL_SCHEMAS: 'app',
      GRAPHQL_MAX_COST: String(MOST_COST),
      DATABASE_CONNECTIONS: String(CONNECTIONS),
      RATE_LIMIT_SCALE: '1',
      TRUSTED_PROXIES: '127.0.0.1',
    },
  })
  await pie.owner.query(notesSchema)
  ada = (await register(pie, 'ada')).access_token
  ben = (await register(pie, 'ben')).access_token
})
after(() => pie.close())

let networks = 0
const nextNetwork = () => {
  networks += 1
  return { 'x-forwarded-for': `198.51.100.${networks}` }
}

describe('what one user asks of GraphQL in a minute', () => {
  test('is as much as 60 of the largest operations, in as many parts as they like', async () => {
    const network = nextNetwork()
    const ask = (token: string, query: string, options: GraphqlOptions = {}) =>
      askGraphql(pie, { token, headers: network, ...options }, query)
    const small = '{ currentUserId a: currentUserId b: currentUserId c: currentUserId }'
    for (let asked = 0; asked < 60 * MOST_COST; asked += 40) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => ask(ada, small)))
      for (const { status } of answers) assert.equal(status, 200)
    }
    const earlier = await snapshot(pie.owner)
    const mutation = 'mutation { createNote(input: { note: { title: "new" } }) { note { id } } }'
    const answer = await ask(ada, mutation)
    assertProblem(answer, 429, 'too_many_requests')
    const wait = Number(answer.headers.get('retry-after'))
    assert.ok(wait >= 1 && wait <= 60, `${wait}`)
    assert.deepEqual(await snapshot(pie.owner), earlier)

    // Also with whatever else they sign in with, but neither elsewhere nor for whoever sits beside them.
    const body = { email: 'ada@example.com', password: goodPassword }
    const again = (await pie.request('/auth/login', { body })).body.access_token
    assertProblem(await ask(again, small), 429, 'too_many_requests')
    assert.equal((await ask(ada, small, { headers: nextNetwork() })).status, 200)
    assert.equal((await ask(ben, small)).status, 200)
    assert.equal((await pie.request('/users/me', { token: ada, headers: network })).status, 200)
  })

  test('counts as it would have run, and what is refused costs nothing', async () => {
    const headers = nextNetwork()
    const large = 'query ($n: Int = 400) { notes(last: $n) { nodes { id } } }'
    for (let asked = 0; asked < 70; asked += 1)
      assertProblem(
        await askGraphql(pie, { token: ada, headers }, large),
        400,
        'graphql_too_complex',
      )
    assert.equal((await askGraphql(pie, { token: ada, headers }, '{ me { id } }')).status, 200)
  })
})

describe('what one user holds up', () => {
  test('is half of the connections, from however many networks, and nobody else', async () => {
    const gatekeeper = new pg.Client({ connectionString: pie.databaseUrl })
    await gatekeeper.connect()
    await gatekeeper.query('begin')
    await gatekeeper.query('select from app.gates for update')
    const headers = nextNetwork()
    const ask = (token: string, query: string) => askGraphql(pie, { token, headers }, query)
    const mutation = 'mutation { waitAtGate(input: {}) { result } }'
    const waiting = Array.from({ length: 5 }, () =>
      askGraphql(pie, { token: ada, headers: nextNetwork() }, mutation),
    )
    await untilWaiting(pie.owner, CONNECTIONS / 2)
    for (let asked = 0; asked < 3; asked += 1) {
      assert.equal((await ask(ben, '{ me { id } }')).status, 200)
      const body = { name: 'Ben' }
      const changed = await pie.request('/users/me', { method: 'PATCH', token: ben, headers, body })
      assert.equal(changed.status, 200)
      // Nor what ada does by other doors: she may end what holds her up.
      const devices = await pie.request('/auth/sessions', { token: ada, headers })
      assert.equal(devices.status, 200)
    }
    await untilWaiting(pie.owner, CONNECTIONS / 2)
    await gatekeeper.query('commit')
    await gatekeeper.end()
    for (const { status } of await Promise.all(waiting)) assert.equal(status, 200)
    assert.equal((await ask(ada, '{ me { id } }')).status, 200)
  })

  test('and from one network a quarter: whoever has their session elsewhere leaves them some', async () => {
    const gatekeeper = new pg.Client({ connectionString: pie.databaseUrl })
    await gatekeeper.connect()
    await gatekeeper.query('begin')
    await gatekeeper.query('select from app.gates for update')
    const thief = nextNetwork()
    const waiting = Array.from({ length: 4 }, () =>
      askGraphql(
        pie,
        { token: ada, headers: thief },
        'mutation { waitAtGate(input: {}) { result } }',
      ),
    )
    await untilWaiting(pie.owner, CONNECTIONS / 4)
    const headers = nextNetwork()
    for (let asked = 0; asked < 3; asked += 1)
      assert.equal((await askGraphql(pie, { token: ada, headers }, '{ me { id } }')).status, 200)
    await untilWaiting(pie.owner, CONNECTIONS / 4)
    await gatekeeper.query('commit')
    await gatekeeper.end()
    for (const { status } of await Promise.all(waiting)) assert.equal(status, 200)
  })

  test('and who has waited for their own turn for long is told so', async () => {
    const gatekeeper = new pg.Client({ connectionString: pie.databaseUrl })
    await gatekeeper.connect()
    await gatekeeper.query('begin')
    await gatekeeper.query('select from app.gates for update')
    const headers = nextNetwork()
    const waiting = Array.from({ length: 2 }, () =>
      askGraphql(pie, { token: ada, headers }, 'mutation { waitAtGate(input: {}) { result } }'),
    )
    const first = await Promise.race(waiting)
    assertProblem(first, 503, 'busy')
    assert.equal(first.headers.get('retry-after'), '2')
    await gatekeeper.query('commit')
    await gatekeeper.end()
    const statuses = (await Promise.all(waiting)).map(({ status }) => status)
    assert.deepEqual(statuses.toSorted(), [200, 503])
  })
})

describe('what one user’s documents keep the process from', () => {
  // So many that no session comes to its own limit of requests, however quickly a document is done with.
  const SESSIONS = 200
  // Valid and not, each one new: none is remembered.
  const nested = (index: number) =>
    `{ ${Array.from({ length: 15 }, (_, alias) => `a${index}_${alias}: notes(first: 1) { nodes { parent { parent { parent { parent { parent { parent { parent { id } } } } } } } } }`).join(' ')} }`
  const documents = {
    // One at a time: those that run wait for a share of the connections too.
    'are planned': { document: nested, atOnce: 1, isSo: ({ status }: Answer) => status === 200 },
    // Too deep, which is found out last, and as dear to read as may be: what is done for a request beside that counts for
    // nobody. (What asks for what is not there waits for a look at the database besides.)
    'are refused': {
      document: (index: number) =>
        `{ ${`notes(first: 1, offset: 0, orderBy: [${'ID_ASC '.repeat(35)}]) { nodes { ${'id '.repeat(7)} } } `.repeat(49)} a${index}: notes(first: 1) { nodes { ${'parent { '.repeat(12)} id ${'}'.repeat(12)} } } }`,
      atOnce: 10,
      isSo: ({ status, body }: Answer) => status === 400 && / deep in each other/.test(body.detail),
    },
  }
  for (const [what, { document, atOnce, isSo }] of Object.entries(documents))
    test(`those that ${what} count by how long they take, over all sessions of a user`, async (t) => {
      const small = await startTestPie({
        settings: {
          GRAPHQL_SCHEMAS: 'app',
          RATE_LIMIT_SCALE: '1',
          GRAPHQL_MAX_COST: '1000000',
          TRUSTED_PROXIES: '127.0.0.1',
        },
      })
      try {
        await small.owner.query(notesSchema)
        await register(small, 'ada')
        const { access_token: other } = await register(small, 'ben')
        const sessions: Browser[] = []
        for (let count = 0; count < SESSIONS; count += 1)
          sessions.push(await addBrowser(small.owner, 'ada'))
        const network = nextNetwork()
        const ask = (index: number) => {
          const { headers } = sessions[index % SESSIONS] as Browser
          return askGraphql(small, { headers: { ...network, ...headers } }, document(index))
        }
        let asked = 0
        let answer: Answer | undefined
        while (answer === undefined) {
          const from = asked
          asked += atOnce
          const answers = await Promise.all(
            Array.from({ length: atOnce }, (_, more) => ask(from + more)),
          )
          answer = answers.find((one) => !isSo(one))
        }
        assertProblem(answer, 429, 'too_many_requests')
        const wait = Number(answer.headers.get('retry-after'))
        assert.ok(wait >= 1 && wait <= 60, `${wait}`)
        // Not for the requests of this session, of which there are some left; whichever session it is, and nobody else.
        assert.ok(Number(answer.headers.get('x-ratelimit-remaining')) > 0, `after ${asked}`)
        t.diagnostic(`${asked} were asked`)
        assertProblem(await ask(asked + SESSIONS / 2), 429, 'too_many_requests')
        const innocent = await askGraphql(
          small,
          { token: other, headers: network },
          '{ me { id } }',
        )
        assert.equal(innocent.status, 200)
      } finally {
        await small.close()
      }
    })
})
