import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { register, snapshot, startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
let token: string
let earlier: Record<string, string>
before(async () => {
  pie = await startTestPie()
  token = (await register(pie, 'ada')).access_token
  earlier = await snapshot(pie.owner)
})
after(() => pie.close())

/** Asks for a target exactly as it is written, which fetch would tidy up. */
function ask(method: string, target: string | Buffer, authorization = ''): Promise<string> {
  const { hostname, port, host } = new URL(pie.pie.address)
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(Number(port), hostname, () => {
      socket.write(`${method} `)
      socket.write(target)
      socket.write(` HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${authorization}\r\n`)
    })
    socket.setEncoding('utf8')
    socket.on('data', (data) => {
      answer += data
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

interface Refused {
  status: number
  head: string
  code: string
  text: string
}

function read(answer: string): Refused {
  const [head = '', text = ''] = answer.split('\r\n\r\n')
  assert.match(head, /^content-type: application\/problem\+json/im, answer)
  const { status, code } = JSON.parse(text)
  assert.ok(head.startsWith(`HTTP/1.1 ${status} `), answer)
  return { status, head, code, text }
}

function assertSaysNothing({ text }: Refused, target: string): void {
  assert.doesNotMatch(text, /node_modules|\.ts\b|\bat \w+ \(|FST_|passwd|package\.json/, target)
}

describe('a path', () => {
  test('that leads nowhere is not found, whatever it tries', async () => {
    const targets = [
      '/nowhere',
      '//',
      '//users/me',
      '/users//me',
      '/users/me/',
      '/users/me/x',
      '/Users/Me',
      '/users/../users/me',
      '/..',
      '/../../../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/..%2f..%2fetc%2fpasswd',
      '/users/me;x=1',
      '/users%2fme',
      '/users/me%00',
      '/%00',
      '/users/me%20',
      '/.env',
      '/.git/config',
      '/foo(',
      '/:id(^a',
      '/x*y',
      '/*',
      '*',
      '/\\..\\..',
      '/__proto__',
      '/constructor',
      `/${'x'.repeat(10_000)}`,
      '/docs/nothing-here',
    ]
    for (const target of targets) {
      for (const method of ['GET', 'POST']) {
        const refused = read(await ask(method, target, `Authorization: Bearer ${token}\r\n`))
        const { status, code } = refused
        assert.deepEqual({ target, status, code }, { target, status: 404, code: 'not_found' })
        assertSaysNothing(refused, target)
      }
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('of a file that is not there is not found, though another one would be', async () => {
    const refused = read(await ask('GET', '/docs/static/nothing-here.js'))
    assert.deepEqual([refused.status, refused.code], [404, 'not_found'])
  })

  test('that is no path is refused', async () => {
    const targets = [
      '/%',
      '/%zz',
      '/users/%c3',
      '/users/me%',
      '/%u0041',
      '/%ff%fe',
      '/docs/static/%2e%2e/%2e%2e/package.json',
      '/docs/static/../../../package.json',
    ]
    for (const target of targets) {
      const refused = read(await ask('GET', target))
      assert.ok([400, 404].includes(refused.status), `${target}: ${refused.text}`)
      assertSaysNothing(refused, target)
    }
    for (const target of ['/users\0/me', Buffer.from('/\xff\xfe', 'latin1'), '/a b c', '']) {
      const answer = await ask('GET', target)
      assert.match(answer, /^HTTP\/1\.1 (400|404) /, JSON.stringify(target))
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('needs a session in every spelling that leads to where one is needed', async () => {
    const targets = [
      '/users/me',
      '/users/%6de',
      '/%75sers/me',
      '/users/me?',
      '/users/me?x=/health/live',
      '/users/me#/health/live',
      'http://evil.example/users/me',
      `/users/me?${'x'.repeat(10_000)}`,
    ]
    for (const target of targets) {
      const { status, code } = read(await ask('GET', target))
      assert.deepEqual({ target, status, code }, { target, status: 401, code: 'unauthenticated' })
      const answer = await ask('GET', target, `Authorization: Bearer ${token}\r\n`)
      assert.match(answer, /^HTTP\/1\.1 200 /, target)
    }
  })
})

describe('a method', () => {
  test('that a path does not take is refused, with those that it takes', async () => {
    const allowed = {
      '/users/me': 'GET, HEAD, PATCH',
      '/auth/login': 'POST',
      '/health/live': 'GET, HEAD',
      '/openapi.json': 'GET, HEAD',
      '/.well-known/jwks.json': 'GET, HEAD',
    }
    for (const [path, allow] of Object.entries(allowed)) {
      for (const method of ['DELETE', 'PUT', 'OPTIONS', 'TRACE', 'PROPFIND', 'MKCOL']) {
        for (const authorization of ['', `Authorization: Bearer ${token}\r\n`]) {
          const { status, code, head } = read(await ask(method, path, authorization))
          assert.deepEqual({ status, code }, { status: 405, code: 'method_not_allowed' }, method)
          assert.match(head, new RegExp(`^allow: ${allow}$`, 'im'))
        }
      }
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('that is read with GET is read with HEAD, and needs a session alike', async () => {
    assert.match(await ask('HEAD', '/users/me'), /^HTTP\/1\.1 401 /)
    const answer = await ask('HEAD', '/users/me', `Authorization: Bearer ${token}\r\n`)
    assert.match(answer, /^HTTP\/1\.1 200 /)
    assert.equal(answer.split('\r\n\r\n')[1], '')
  })

  test('that is none is refused', async () => {
    for (const method of ['BREW', 'get', 'G\0T', 'X'.repeat(1000), '()']) {
      const { status, code } = read(await ask(method, '/users/me'))
      assert.deepEqual({ method, status, code }, { method, status: 400, code: 'malformed_http' })
    }
    for (const method of ['QUERY', 'CONNECT']) {
      const answer = await ask(method, '/users/me', `Authorization: Bearer ${token}\r\n`)
      assert.doesNotMatch(answer, /^HTTP\/1\.1 [25]/, method)
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('that is overridden by a header is not', async () => {
    const answer = await pie.request('/users/me', {
      method: 'GET',
      token,
      headers: { 'x-http-method-override': 'PATCH', 'x-method-override': 'DELETE' },
    })
    assert.equal(answer.status, 200)
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })
})
