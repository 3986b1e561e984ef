import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import { goodPassword, register, snapshot, startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
let earlier: Record<string, string>
before(async () => {
  pie = await startTestPie()
  await register(pie, 'ada')
  earlier = await snapshot(pie.owner)
})
after(() => pie.close())
afterEach(async () => {
  assert.deepEqual(await snapshot(pie.owner), earlier)
  assert.equal((await pie.request('/health/ready')).status, 200)
  const complaints = pie.log.filter((line) => JSON.parse(line).level >= 40)
  assert.deepEqual(complaints, [])
})

const dial = (): Socket => {
  const { hostname, port } = new URL(pie.pie.address)
  return connect(Number(port), hostname)
}

/** Sends bytes, and returns all that comes back until Pie hangs up. */
function say(bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = dial()
    socket.setEncoding('utf8')
    socket.on('data', (data) => {
      answer += data
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      // A peer that has sent too much is hung up on, perhaps while it is still sending.
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve(answer) : reject(error),
    )
    socket.write(bytes)
  })
}

const good = JSON.stringify({ email: 'grace@example.com', password: goodPassword })

/** A registration with these headers instead of its length. */
const posting = (headers: string, body = good): string =>
  `POST /auth/register HTTP/1.1\r\nHost: pie\r\nConnection: close\r\nContent-Type: application/json\r\n${headers}\r\n${body}`

async function assertProblem(bytes: string | Buffer, status: number, code: string): Promise<void> {
  const answer = await say(bytes)
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  assert.ok(
    head.startsWith(`HTTP/1.1 ${status} `),
    `${JSON.stringify(bytes.toString().slice(0, 80))}: ${answer}`,
  )
  assert.match(head, /^content-type: application\/problem\+json/im)
  const problem = JSON.parse(body)
  assert.deepEqual({ status: problem.status, code: problem.code }, { status, code })
  assert.doesNotMatch(answer, /HPE_|FST_|node_modules|\.ts\b/)
}

describe('what is not HTTP', () => {
  test('is refused and hung up on', async () => {
    const tlsHello = Buffer.from('160301020001000001fc0303', 'hex')
    for (const bytes of [
      'hello\r\n\r\n',
      '\0\0\0\0',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'GET / HTTP/3.0\r\nHost: pie\r\n\r\n',
      'GET /users/me HTTP/1.1\nHost: pie\n\n',
      'GET /users/me HTTP/1.1\r\nHost: pie\r\nX-A: a\0b\r\n\r\n',
      'GET /users/me HTTP/1.1\r\nHost: pie\r\nX-A: a\r\n b\r\n\r\n',
      'GET /users/me HTTP/1.1\r\nHost: pie\r\nX A: b\r\n\r\n',
      'GET /users/me HTTP/1.1\r\nHost : pie\r\n\r\n',
      tlsHello,
    ]) {
      await assertProblem(bytes, 400, 'malformed_http')
    }
  })

  test('is refused when its headers are too large', async () => {
    await assertProblem(
      `GET /users/me HTTP/1.1\r\nHost: pie\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    )
    const many = Array.from({ length: 3000 }, (_, index) => `X-${index}: a\r\n`).join('')
    await assertProblem(
      `GET /users/me HTTP/1.1\r\nHost: pie\r\n${many}\r\n`,
      431,
      'headers_too_large',
    )
    await assertProblem(
      `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: pie\r\n\r\n`,
      431,
      'headers_too_large',
    )
  })
})

describe('a body whose length is a lie', () => {
  test('is refused, and what follows is no second request', async () => {
    const { length } = Buffer.from(good)
    const smuggled = 'GET /health/live HTTP/1.1\r\nHost: pie\r\n\r\n'
    const lies = [
      posting(`Content-Length: ${length}\r\nTransfer-Encoding: chunked\r\n`),
      posting(
        `Transfer-Encoding: chunked\r\nContent-Length: ${length}\r\n`,
        `0\r\n\r\n${smuggled}`,
      ),
      posting(`Content-Length: ${length}\r\nContent-Length: ${length - 1}\r\n`),
      posting(`Content-Length: ${length}, ${length}\r\n`),
      posting('Content-Length: -1\r\n'),
      posting(`Content-Length: +${length}\r\n`),
      posting(`Content-Length: 0x${length.toString(16)}\r\n`),
      posting('Content-Length: 99999999999999999999999999\r\n'),
      posting('Transfer-Encoding: gzip\r\n'),
      posting('Transfer-Encoding: chunked, gzip\r\n'),
      posting('Transfer-Encoding: xchunked\r\n'),
      posting('Transfer-Encoding: chunked\r\n', `zz\r\n${good}\r\n0\r\n\r\n`),
      posting('Transfer-Encoding: chunked\r\n', `5\r\n${good}\r\n0\r\n\r\n`),
      posting('Transfer-Encoding: chunked\r\n', `-5\r\n${good}\r\n0\r\n\r\n`),
      posting('Transfer-Encoding: chunked\r\n', `ffffffffffffffffff\r\n${good}\r\n0\r\n\r\n`),
    ]
    for (const lie of lies) await assertProblem(lie, 400, 'malformed_http')
    await assertProblem(posting('Content-Length: 99999999\r\n'), 413, 'body_too_large')
  })

  test('is refused as what it is when it is too short, and the rest is no request', async () => {
    const answer = await say(posting('Content-Length: 10\r\n'))
    assert.match(answer, /^HTTP\/1\.1 400 /)
    assert.doesNotMatch(answer, /HTTP\/1\.1 2/)
  })

  test('is forgotten when the rest of it never comes', async () => {
    for (const beginning of [
      posting('Content-Length: 9999\r\n'),
      posting('Transfer-Encoding: chunked\r\n', `fff\r\n${good}`),
      'POST /auth/register HTTP/1.1\r\nHost: pie\r\nContent-Le',
    ]) {
      const socket = dial()
      socket.on('error', () => {})
      await new Promise<void>((resolve) => socket.write(beginning, () => resolve()))
      socket.destroy()
    }
  })
})

describe('a request that asks for more than HTTP', () => {
  test('is answered as HTTP, or not at all', async () => {
    const requests = {
      'an upgrade': 'Connection: upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n',
      'HTTP/2': 'Connection: Upgrade, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n',
      'an evil host': 'Connection: close\r\nX-Forwarded-Host: evil.example\r\n',
    }
    for (const [name, headers] of Object.entries(requests)) {
      const answer = await say(`GET /users/me HTTP/1.1\r\nHost: pie\r\n${headers}\r\n`)
      assert.match(answer, /^HTTP\/1\.1 40[01] /, name)
      assert.doesNotMatch(answer, /evil/, name)
    }
  })

  test('is for one host, and says so once', async () => {
    for (const path of ['/users/me', '/health/live', '/nothing/here', '/', '/auth/login'])
      for (const method of ['GET', 'POST', 'PROPFIND'])
        for (const hosts of [
          '',
          'Host: pie\r\nHost: evil.example\r\n',
          'Host: pie\r\nHost: pie\r\n',
          'host: pie\r\nX-A: b\r\nHOST: evil.example\r\n',
          'Host: pie\r\nHost:\r\n',
        ]) {
          const request = `${method} ${path} HTTP/1.1\r\n${hosts}`
          await assertProblem(`${request}\r\n`, 400, 'malformed_http')
          const answer = await say(`${request}\r\nGET /health/live HTTP/1.1\r\nHost: pie\r\n\r\n`)
          assert.equal(answer.split('HTTP/1.1 ').length, 2, 'and hangs up')
          assert.match(answer, /^x-request-id: \S+$/im)
        }
    await assertProblem(
      'GET /users/me HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n',
      400,
      'malformed_http',
    )
    assert.match(await say('GET /health/live HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /)
  })

  test('is answered with a problem, hung up on and logged, where Node has words of its own, or none', async () => {
    const smuggled = 'GET /health/live HTTP/1.1\r\nHost: pie\r\n\r\n'
    const requests = [
      posting('Expect: the-impossible\r\nContent-Length: 2\r\n', '{}'),
      `GET /health/live HTTP/1.1\r\nHost: pie\r\nExpect: anything\r\n\r\n${smuggled}`,
      `CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n${smuggled}`,
    ]
    const malformed = () => pie.log.filter((line) => line.includes('"malformed request"')).length
    const before = malformed()
    for (const request of requests) {
      const [status, code] = request.startsWith('CONNECT')
        ? ([400, 'malformed_http'] as const)
        : ([417, 'expectation_failed'] as const)
      await assertProblem(request, status, code)
      assert.equal((await say(request)).split('HTTP/1.1 ').length, 2, 'it is answered once')
    }
    assert.equal(malformed() - before, 2 * requests.length)
    const proper = await say(posting('Expect: 100-continue\r\nContent-Length: 2\r\n', '{}'))
    assert.match(proper, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 400 /)
  })
})

/** The status and the problem's code, if any, of each answer. */
function readAnswers(text: string): [status: number, code: string | null][] {
  return text
    .split(/(?=HTTP\/1\.1 \d{3})/)
    .map((answer) => [Number(answer.slice(9, 12)), /"code":"(\w+)"/.exec(answer)?.[1] ?? null])
}

describe('what follows upon requests that are good', () => {
  const live = 'GET /health/live HTTP/1.1\r\nHost: pie\r\n\r\n'
  const ready = 'GET /health/ready HTTP/1.1\r\nHost: pie\r\n\r\n'
  const refresh =
    'POST /auth/refresh HTTP/1.1\r\nHost: pie\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n{"refresh_token":"x"}'

  test('is refused after their answers, and in place of none', async () => {
    const stray: [string, number, string][] = [
      ['garbage\r\n\r\n', 400, 'malformed_http'],
      ['GET / HTTP/1.1\r\nHost : pie\r\n\r\n', 400, 'malformed_http'],
      [`GET / HTTP/1.1\r\nX-A: ${'a'.repeat(30_000)}\r\n\r\n`, 431, 'headers_too_large'],
      ['GET / HTTP/1.1\r\n\r\n', 400, 'malformed_http'],
      ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400, 'malformed_http'],
      ['GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n', 417, 'expectation_failed'],
      ['CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n', 400, 'malformed_http'],
      [posting('Transfer-Encoding: chunked\r\n', 'zz\r\n'), 400, 'malformed_http'],
    ]
    for (const [bytes, status, code] of stray) {
      const what = bytes.slice(0, 60)
      const last = [status, code]
      assert.deepEqual(readAnswers(await say(live + bytes)), [[200, null], last], what)
      assert.deepEqual(readAnswers(await say(ready + bytes)), [[200, null], last], what)
      const unknown = [401, 'invalid_refresh_token']
      assert.deepEqual(readAnswers(await say(refresh + bytes)), [unknown, last], what)
      const many = await say(ready + refresh + live + bytes)
      assert.deepEqual(readAnswers(many), [[200, null], unknown, [200, null], last], what)
    }
  })

  test('is not answered where a request said that it was the last', async () => {
    const closing = live.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
    assert.deepEqual(readAnswers(await say(`${closing}garbage\r\n\r\n`)), [[200, null]])
  })

  test('is no second answer to a request that has been refused before its body went wrong', async () => {
    const refused =
      'PATCH /users/me HTTP/1.1\r\nHost: pie\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'
    assert.deepEqual(readAnswers(await say(refused)), [[401, 'unauthenticated']])
  })
})
