import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  type Answer,
  goodPassword,
  register,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

interface Schema {
  type?: string
  enum?: string[]
  anyOf?: Schema[]
  required?: string[]
  properties?: Record<string, Schema>
  maxLength?: number
}

interface Operation {
  path: string
  method: string
  /** The form of its body, as /openapi.json has it; null when it takes none. */
  body: Schema | null
}

let pie: TestPie
let ada: Answer['body']
let operations: Operation[]
let earlier: Record<string, string>
before(async () => {
  pie = await startTestPie()
  ada = await register(pie, 'ada')
  const { paths } = (await pie.request('/openapi.json')).body
  operations = Object.entries<Record<string, Answer['body']>>(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => {
      const schema: Schema | undefined = requestBody?.content['application/json'].schema
      const body = schema?.anyOf?.find(({ type }) => type === 'object') ?? schema ?? null
      return { path, method: method.toUpperCase(), body }
    }),
  )
  earlier = await snapshot(pie.owner)
})
after(() => pie.close())

/** What each member is when nothing is wrong with it. */
const good: Record<string, () => unknown> = {
  email: () => 'grace@example.com',
  password: () => goodPassword,
  name: () => 'Grace Hopper',
  transport: () => 'token',
  refresh_token: () => ada.refresh_token,
  return_to: () => '/account',
  current_password: () => goodPassword,
  new_password: () => 'another horse battery staple',
  query: () => '{ me { id } }',
  variables: () => ({}),
  operationName: () => null,
  extensions: () => ({}),
}

function goodBody({ properties = {} }: Schema): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(properties).map((name) => {
      assert.ok(good[name], `this test does not know what a good ${name} is`)
      return [name, good[name]()]
    }),
  )
}

const takesNull = ({ type, anyOf = [] }: Schema): boolean =>
  type === 'null' || anyOf.some(takesNull)
const lengthOf = ({ maxLength, anyOf = [] }: Schema): number =>
  maxLength ?? Math.max(16, ...anyOf.map(lengthOf))

/** Values that no member of any body may have. */
const wrongValues = [0, 1, -1, 1.5, 1e308, true, false, [], ['a'], [[]], {}, { a: 1 }]

/** May be any text: one that leads elsewhere is not followed, and keeps nobody from signing out. */
const takesAnyText = ['return_to']

/** May be any object, or anything at all: GraphQL's own tests see to what is in them. */
const takesAnything = ['variables', 'extensions']

/** Each way in which one member of a good body can be bad. */
function badBodies(schema: Schema): [string, unknown][] {
  const body = goodBody(schema)
  const { properties = {}, required = [] } = schema
  const checked = Object.entries(properties).filter(([name]) => !takesAnything.includes(name))
  const ofMembers = checked.flatMap(([name, form]) => {
    const faults: [string, unknown][] = [
      ...wrongValues.map((value): [string, unknown] => [JSON.stringify(value), value]),
      ['an operator', { $ne: null, like: '%' }],
    ]
    if (!takesAnyText.includes(name))
      faults.push(['empty', ''], ['too long', 'x'.repeat(lengthOf(form) + 1)])
    if (required.includes(name)) faults.push(['missing', undefined])
    if (!takesNull(form)) faults.push(['null', null])
    return faults.map(([fault, value]): [string, unknown] => [
      `${name} ${fault}`,
      { ...body, [name]: value },
    ])
  })
  const surplus = [
    'extra',
    'id',
    'roles',
    'user_id',
    'is_verified',
    'Email',
    'toString',
    'a/b~c',
    '',
  ]
  return ofMembers.concat(
    surplus.map((name): [string, unknown] => [`surplus ${name}`, { ...body, [name]: 'x' }]),
  )
}

const send = ({ path, method }: Operation, raw: string | Uint8Array, type = 'application/json') =>
  pie.request(path, {
    method,
    raw,
    token: ada.access_token,
    ...(type !== '' && { headers: { 'content-type': type } }),
  })

const whole = ({ path, method }: Operation): string => `${method} ${path}`

/** RFC 9457, a code that stays, and nothing of how Pie is made. */
function assertRefused(name: string, { status, headers, body }: Answer, allowed: number[]): void {
  const text = JSON.stringify(body)
  assert.ok(allowed.includes(status), `${name}: ${status} ${text}`)
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json\b/, name)
  assert.match(body.code, /^[a-z_]+$/, name)
  assert.equal(body.status, status, name)
  assert.doesNotMatch(
    text,
    /node_modules|\.ts\b|\bat \w+ \(|select |pie_private|SyntaxError|FST_/,
    name,
  )
}

const withBody = (): (Operation & { body: Schema })[] =>
  operations.filter(
    (operation): operation is Operation & { body: Schema } => operation.body !== null,
  )

describe('a body', () => {
  test('is known of every operation that takes one', () => {
    assert.deepEqual(withBody().map(whole), [
      'POST /auth/register',
      'POST /auth/login',
      'POST /auth/refresh',
      'POST /auth/logout',
      'PATCH /users/me',
      'PUT /users/me/password',
      'POST /graphql',
    ])
  })

  test('with one bad member is refused, and changes nothing', async () => {
    for (const operation of withBody()) {
      for (const [fault, body] of badBodies(operation.body)) {
        const answer = await send(operation, JSON.stringify(body))
        assertRefused(`${whole(operation)} with ${fault}`, answer, [400])
        assert.equal(answer.body.code, 'invalid_request', fault)
      }
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('that reaches for a prototype is refused, and reaches none', async () => {
    for (const operation of withBody()) {
      const rest = JSON.stringify(goodBody(operation.body)).slice(1)
      for (const reach of [
        '{"__proto__":{"isAdmin":true},',
        '{"\\u005f_proto__":{"isAdmin":true},',
        '{"constructor":{"prototype":{"isAdmin":true}},',
        '{"constructor":1,',
        '{"prototype":{"isAdmin":true},',
        '{"hasOwnProperty":1,',
      ]) {
        assertRefused(`${whole(operation)} ${reach}`, await send(operation, reach + rest), [400])
      }
    }
    assert.equal('isAdmin' in {}, false)
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('that is no object is refused', async () => {
    for (const operation of withBody()) {
      const isLogout = operation.path === '/auth/logout'
      const bodies = ['[]', '"x"', '1', 'true', '[{}]', ...(isLogout ? [] : ['null', '{}'])]
      for (const body of bodies) {
        assertRefused(`${whole(operation)} ${body}`, await send(operation, body), [400])
      }
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })
})

describe('a request that takes no body', () => {
  test('is not disturbed by what is in its address, however bad', async () => {
    /** What is answered to ada, where it is not 200. */
    const usual: Record<string, number> = {
      'GET /health/cache': 401,
      'DELETE /auth/sessions/{id}': 404,
    }
    const bodiless = operations.filter(({ body }) => body === null)
    assert.ok(bodiless.length >= 9)
    for (const operation of bodiless) {
      const query = `?${'x'.repeat(10_000)}&__proto__[a]=1&a[]=1&a=%00&%ff=%zz`
      const path = operation.path.replace('{id}', '11111111-2222-4333-8444-555555555555') + query
      const { method } = operation
      const { status } = await pie.request(path, { method, token: ada.access_token })
      assert.equal(status, usual[whole(operation)] ?? 200, whole(operation))
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('is refused when what its path names is of another form', async () => {
    for (const id of ['x', '%00', "'", '11111111-2222-4333-8444', '..%2f..', 'x'.repeat(90)]) {
      const path = `/auth/sessions/${id}`
      const answer = await pie.request(path, { method: 'DELETE', token: ada.access_token })
      assertRefused(`DELETE ${path}`, answer, [400])
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })
})
