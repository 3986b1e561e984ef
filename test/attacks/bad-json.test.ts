import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  type Answer,
  assertProblem,
  goodPassword,
  register,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

let pie: TestPie
let token: string
let earlier: Record<string, string>
before(async () => {
  pie = await startTestPie()
  token = (await register(pie, 'ada')).access_token
})
beforeEach(async () => {
  earlier = await snapshot(pie.owner)
})
after(() => pie.close())

const good = JSON.stringify({ email: 'grace@example.com', password: goodPassword })

/** Every route that takes a body, with what it does when the body is good. */
const routes = [
  ['POST', '/auth/register'],
  ['POST', '/auth/login'],
  ['POST', '/auth/refresh'],
  ['POST', '/auth/logout'],
  ['PATCH', '/users/me'],
  ['PUT', '/users/me/password'],
] as const

/** Those that take forms as well: signing out, and what needs a session. */
const takesForms = ([, path]: readonly [string, string]): boolean =>
  path === '/auth/logout' || path.startsWith('/users/me')

const send = (
  raw: string | Uint8Array,
  headers: Record<string, string> = { 'content-type': 'application/json' },
  [method, path]: readonly [string, string] = ['POST', '/auth/register'],
): Promise<Answer> => pie.request(path, { method, raw, token, headers })

async function assertRefused(
  bodies: Record<string, string | Uint8Array>,
  status: number,
  code: string,
): Promise<void> {
  for (const route of routes) {
    for (const [fault, body] of Object.entries(bodies)) {
      const answer = await send(body, undefined, route)
      assert.equal(answer.status, status, `${route} ${fault}: ${JSON.stringify(answer.body)}`)
      assertProblem(answer, status, code)
      assert.deepEqual(Object.keys(answer.body), ['type', 'title', 'status', 'code'], fault)
    }
  }
  assert.deepEqual(await snapshot(pie.owner), earlier)
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

describe('JSON that is none', () => {
  test('is refused, without a word of what it was', async () => {
    await assertRefused(
      {
        'a space': ' ',
        'a beginning': '{"email":"ada',
        'two values': `${good}${good}`,
        'a comma too many': '{"email":"ada@example.com",}',
        'single quotes': "{'email':'ada@example.com'}",
        'a comment': '{/* ada */}',
        'no number': '{"email":NaN}',
        undefined: 'undefined',
        'a form': 'email=ada%40example.com&password=x',
        XML: '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        'a raw line break in text': '{"email":"ada\n"}',
        'a bad escape': '{"email":"\\x41"}',
        'deep nesting without an end': '['.repeat(30_000),
      },
      400,
      'malformed_json',
    )
  })

  test('is refused when it is no UTF-8, which would be read as something that was not sent', async () => {
    const as = (end: string) =>
      bytes(`{"email":"grace@example.com","password":"purple m${end}nkey 77"}`)
    const bodies = {
      'Latin-1': as('\xf6'),
      'half a character': as('\xf0\x9f\x92'),
      'an over-long form': as('\xc1\xaf'),
      'a surrogate': as('\xed\xa0\x80'),
      'UTF-16': Buffer.from(good, 'utf16le'),
    }
    await assertRefused(bodies, 400, 'malformed_json')
    for (const body of Object.values(bodies)) {
      // Without a length that gives it away.
      const stream = new ReadableStream({
        start: (controller) => {
          controller.enqueue(body)
          controller.close()
        },
      })
      const answer = await fetch(`${pie.pie.address}/auth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: stream,
        duplex: 'half',
      })
      assert.equal(answer.status, 400)
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })
})

describe('JSON that is too much', () => {
  test('is refused, told by its length or not', async () => {
    for (const route of routes) {
      assertProblem(await send('['.repeat(70_000), undefined, route), 413, 'body_too_large')
      assertProblem(await send(' '.repeat(70_000) + good, undefined, route), 413, 'body_too_large')
    }
    const answer = await fetch(`${pie.pie.address}/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: new Blob([good, ' '.repeat(100_000)]).stream(),
      duplex: 'half',
    })
    assert.equal(answer.status, 413)
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('is refused when it is deep, or wide', async () => {
    const wide = `{${Array.from({ length: 5000 }, (_, index) => `"k${index}":1`).join(',')}}`
    for (const route of routes) {
      for (const body of [
        `${'['.repeat(30_000)}${']'.repeat(30_000)}`,
        `${'{"a":'.repeat(9000)}1${'}'.repeat(9000)}`,
        wide,
      ]) {
        assertProblem(await send(body, undefined, route), 400, 'invalid_request')
      }
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })
})

describe('JSON with a member twice', () => {
  test('is what its last one says, to every check and use alike', async () => {
    const answer = await send(
      `{"email":"ada@example.com","email":"eve@example.com","password":"x","password":"${goodPassword}"}`,
    )
    assert.equal(answer.status, 201)
    assert.equal(answer.body.user.email, 'eve@example.com')
    const twice = `{"name":"x","name":1}`
    assertProblem(await send(twice, undefined, ['PATCH', '/users/me']), 400, 'invalid_request')
  })
})

describe('a body of another type', () => {
  test('is refused', async () => {
    const types = [
      '',
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/xml',
      'text/json',
      'application/jsonp',
      'application/ld+json',
      'application/json-patch+json',
      ';;;',
      'application',
      'application/x-www-form-urlencoded-not',
      '*/*',
      'text/plain; x=application/json',
      'application/json, text/plain',
    ]
    for (const route of routes) {
      for (const type of types) {
        const headers: Record<string, string> = type === '' ? {} : { 'content-type': type }
        const answer = await send(bytes(good), headers, route)
        assert.equal(answer.status, 415, `${route} ${type}: ${JSON.stringify(answer.body)}`)
        assertProblem(answer, 415, 'unsupported_media_type')
      }
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('is refused when it is a form, but where forms are taken: there it must be a good one', async () => {
    const type = 'application/x-www-form-urlencoded'
    const fields = 'email=grace%40example.com&password=purple+monkey+77&name=x&new_password=x'
    for (const route of routes) {
      const [status, code] = takesForms(route)
        ? [400, 'invalid_request']
        : [415, 'unsupported_media_type']
      for (const body of [good, fields, `${fields}&name=y`, 'name', '=', '__proto__=x']) {
        const answer = await send(body, { 'content-type': type }, route)
        assert.equal(answer.status, status, `${route} ${body}`)
        assertProblem(answer, status as number, code as string)
      }
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('is refused as a form that is no UTF-8, which would be read as something else', async () => {
    const type = 'application/x-www-form-urlencoded'
    const fields = `current_password=${encodeURIComponent(goodPassword)}&new_password=purple+m`
    for (const letter of ['\xf6', '%F6', '%f0%9f%92', '%c1%af', '%ed%a0%80', '%', '%u00f6']) {
      const change = await send(bytes(`${fields}${letter}nkey+77`), { 'content-type': type }, [
        'PUT',
        '/users/me/password',
      ])
      assert.equal(change.status, 400, letter)
      assertProblem(change, 400, 'invalid_request')
      const name = bytes(`name=Ad${letter}a`)
      const answer = await send(name, { 'content-type': type }, ['PATCH', '/users/me'])
      assertProblem(answer, 400, 'invalid_request')
      const member = await send(bytes(`nam${letter}=Ada`), { 'content-type': type }, [
        'PATCH',
        '/users/me',
      ])
      assertProblem(member, 400, 'invalid_request')
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('is a form of UTF-8 letters, encoded or not', async () => {
    for (const raw of [
      'name=B%C3%B6ll+%26+%F0%9F%92%A9',
      Buffer.from('name=Böll & 💩'.replace('& ', '%26+')),
    ]) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const answer = await send(raw, headers, ['PATCH', '/users/me'])
      assert.deepEqual([answer.status, answer.body.name], [200, 'Böll & 💩'])
    }
  })

  test('is refused when it is missing', async () => {
    for (const [method, path] of routes) {
      const answer = await pie.request(path, { method, ...(path !== '/auth/logout' && { token }) })
      const [status, code] =
        path === '/auth/logout' ? [401, 'unauthenticated'] : [400, 'invalid_request']
      assertProblem(answer, status, code)
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('is JSON in UTF-8 whatever its charset says (RFC 8259 section 8.1)', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-16' }
    assertProblem(await send(Buffer.from(good, 'utf16le'), headers), 400, 'malformed_json')
    assertProblem(await send('{"email":1}', headers), 400, 'invalid_request')
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })
})
