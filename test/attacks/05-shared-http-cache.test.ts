import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { type Answer, goodPassword, send, startTestPie, type TestPie } from '../harness/pie.ts'

interface Stored {
  status: number
  headers: [string, string][]
  body: Buffer
  /** What the stored answer's request had in the headers that Vary names. */
  varied: [string, string | undefined][]
}

/**
 * A shared HTTP cache that stores whatever RFC 9111 section 3 lets it store, Set-Cookie and all, and
 * believes for ever what may be taken for fresh by heuristics (section 4.2.2).
 */
function createSharedCache(origin: string): { server: Server; hits: () => number } {
  const store = new Map<string, Stored[]>()
  let hits = 0
  const server = createServer(async (request, response) => {
    const { method = 'GET', url = '/', headers } = request
    const found = (method === 'GET' ? (store.get(url) ?? []) : []).find(({ varied }) =>
      varied.every(([name, value]) => sentIn(headers, name) === value),
    )
    if (found !== undefined) hits += 1
    const answer = found ?? (await forward(origin, method, url, headers))
    if (found === undefined && method === 'GET' && mayBeStored(answer, headers)) {
      const varied = namesIn(headerOf(answer, 'vary')).map(
        (name) => [name, sentIn(headers, name)] as [string, string | undefined],
      )
      store.set(url, [...(store.get(url) ?? []), { ...answer, varied }])
    }
    for (const [name, value] of answer.headers) response.appendHeader(name, value)
    response.writeHead(answer.status).end(answer.body)
  })
  return { server, hits: () => hits }
}

const sentIn = (headers: IncomingHttpHeaders, name: string) => headers[name]?.toString()
const headerOf = ({ headers }: Pick<Stored, 'headers'>, name: string): string =>
  headers
    .filter(([key]) => key === name)
    .map(([, value]) => value)
    .join(', ')
const namesIn = (text: string): string[] =>
  text
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')

async function forward(
  origin: string,
  method: string,
  url: string,
  headers: IncomingHttpHeaders,
): Promise<Omit<Stored, 'varied'>> {
  const answer = await fetch(`${origin}${url}`, {
    method,
    headers: { ...(headers.cookie !== undefined && { cookie: headers.cookie }) },
  })
  const kept = [...answer.headers].filter(
    ([name]) => !/^(connection|keep-alive|content-)/.test(name),
  )
  return {
    status: answer.status,
    headers: kept,
    body: Buffer.from(await answer.arrayBuffer()),
  }
}

function mayBeStored(answer: Omit<Stored, 'varied'>, request: IncomingHttpHeaders): boolean {
  const control = namesIn(headerOf(answer, 'cache-control'))
  const says = (name: string) => control.some((directive) => directive.split('=')[0] === name)
  if (says('no-store') || says('private') || says('no-cache')) return false
  if (namesIn(headerOf(answer, 'vary')).includes('*')) return false
  if (request.authorization !== undefined && !says('public') && !says('s-maxage')) return false
  return says('max-age') || [200, 203, 204, 300, 301, 308, 404, 405, 410].includes(answer.status)
}

const listen = (server: Server): Promise<string> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    )
  })

let pie: TestPie
let cache: ReturnType<typeof createSharedCache>
let address: string
before(async () => {
  pie = await startTestPie({ settings: { ALLOWED_ORIGINS: 'https://app.example.com' } })
  cache = createSharedCache(pie.pie.address)
  address = await listen(cache.server)
})
after(async () => {
  cache.server.close()
  await pie.close()
})

const cookieOf = (answer: Answer): string =>
  answer.headers.getSetCookie()[0]?.split(';')[0] ?? 'none'

/** Somebody whose session has just expired: their next request renews it. */
async function browser(name: string) {
  const body = { email: `${name}@example.com`, password: goodPassword, transport: 'cookie' }
  const registered = await pie.request('/auth/register', { body })
  const answer = registered.status === 201 ? registered : await pie.request('/auth/login', { body })
  const { user, session } = answer.body
  await pie.owner.query(
    `update pie_private.sessions set expires_at = now() - interval '1 second' where id = $1`,
    [session.id],
  )
  return { cookie: cookieOf(answer), secrets: [user.id, user.email, session.id] as string[] }
}

const textOf = ({ body, headers }: Answer): string => JSON.stringify([body, [...headers]])

describe('behind a shared HTTP cache', () => {
  for (const path of ['/auth/session', '/users/me', '/auth/sessions', '/auth/csrf']) {
    test(`nobody gets what is another's at ${path}, though both sessions are renewed`, async () => {
      const ada = await browser('ada')
      const grace = await browser('grace')
      const see = (cookie?: string) =>
        send(address, path, cookie === undefined ? {} : { headers: { cookie } })
      const first = await see(ada.cookie)
      const second = await see(grace.cookie)
      const third = await see()
      const again = await see(ada.cookie)
      assert.deepEqual([first.status, second.status, third.status], [200, 200, 401])
      assert.match(cookieOf(first), /^pie_session_3000=[0-9a-f-]{36}\./)
      assert.match(cookieOf(second), /^pie_session_3000=[0-9a-f-]{36}\./)
      assert.equal(cookieOf(again), cookieOf(first))
      const adas = [...ada.secrets, cookieOf(first)]
      const graces = [...grace.secrets, cookieOf(second)]
      for (const secret of adas) {
        assert.equal(textOf(second).includes(secret), false, secret)
        assert.equal(textOf(third).includes(secret), false, secret)
      }
      for (const secret of graces) assert.equal(textOf(again).includes(secret), false, secret)
    })
  }

  test('nobody gets the cookie of another whose request failed', async () => {
    const ada = await browser('ada')
    const grace = await browser('grace')
    await pie.owner.query('alter function pie_schema.my_sessions rename to gone')
    const see = (cookie: string) => send(address, '/auth/sessions', { headers: { cookie } })
    const first = await see(ada.cookie)
    const second = await see(grace.cookie)
    await pie.owner.query('alter function pie_schema.gone rename to my_sessions')
    assert.deepEqual([first.status, second.status], [500, 500])
    assert.match(cookieOf(first), /^pie_session_3000=[0-9a-f-]{36}\./)
    assert.notEqual(cookieOf(second), cookieOf(first))
    assert.equal((await see(cookieOf(second))).status, 200)
  })

  test('what is for everybody is answered by the cache, so it does store what it may', async () => {
    const earlier = cache.hits()
    const first = await send(address, '/.well-known/jwks.json')
    const second = await send(address, '/.well-known/jwks.json')
    assert.deepEqual(second.body, first.body)
    assert.equal(cache.hits(), earlier + 1)
  })

  test('a server that forgot to say whose answer it is would be found out', async () => {
    let count = 0
    const careless = createServer((_request, response) => {
      count += 1
      response.appendHeader('set-cookie', `pie_session_3000=${count}`).end('{}')
    })
    const { server } = createSharedCache(await listen(careless))
    const at = await listen(server)
    try {
      const ada = await send(at, '/auth/session', { headers: { cookie: 'pie_session_3000=a' } })
      const grace = await send(at, '/auth/session', { headers: { cookie: 'pie_session_3000=b' } })
      assert.equal(cookieOf(grace), cookieOf(ada))
    } finally {
      server.close()
      careless.close()
    }
  })
})
