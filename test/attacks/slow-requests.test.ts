/** Attack: connections that are kept busy with next to nothing, so that nobody else finds one. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { until } from '../harness/nodes.ts'
import { startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
before(async () => {
  pie = await startTestPie()
})
after(() => pie.close())

interface Drip {
  answer(): string
  isClosed(): boolean
  send(bytes: string): void
}

/** Sends this, and then a piece of nothing every half second, until it is hung up on. */
function drip(bytes: string, piece: string, { address } = pie.pie): Drip {
  const { hostname, port } = new URL(address)
  const socket = connect(Number(port), hostname)
  let answer = ''
  let isClosed = false
  const timer = setInterval(() => void (piece !== '' && socket.write(piece)), 500)
  socket.setEncoding('utf8').on('data', (data) => {
    answer += data
  })
  socket.on('error', () => {})
  const close = () => {
    clearInterval(timer)
    isClosed = true
  }
  socket.on('end', close).on('close', close)
  socket.write(bytes)
  return {
    answer: () => answer,
    isClosed: () => isClosed,
    send: (more) => void socket.write(more),
  }
}

const post = (path: string, headers: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: pie\r\nContent-Type: application/json\r\n${headers}\r\n`

describe('a request that does not come', () => {
  test('is 408, and hung up on, whatever part of it is slow', async () => {
    const slow = {
      headers: drip('GET /health/live HTTP/1.1\r\nHost: pie\r\n', 'x: y\r\n'),
      body: drip(post('/auth/login', 'Content-Length: 60000\r\n'), ' '),
      chunks: drip(post('/auth/login', 'Transfer-Encoding: chunked\r\n'), ''),
      pieces: drip(post('/auth/login', 'Transfer-Encoding: chunked\r\n'), '1\r\n \r\n'),
    }
    await until(() => Object.values(slow).every((one) => one.isClosed()), 60_000)
    for (const [name, one] of Object.entries(slow)) {
      assert.match(one.answer(), /^HTTP\/1\.1 408 .*request_timeout/s, name)
    }
  })

  test('is hung up on soon where it has been answered', async () => {
    const length = 'Content-Length: 60000\r\n'
    const slow = [
      [401, drip(post('/graphql', length), ' ')],
      [404, drip(post('/nothing', length), ' ')],
      [405, drip(post('/health/live', length), ' ')],
      [200, drip(`GET /health/live HTTP/1.1\r\nHost: pie\r\n${length}\r\n`, ' ')],
    ] as const
    await until(() => slow.every(([, one]) => one.isClosed()), 15_000)
    for (const [status, one] of slow) {
      assert.match(one.answer(), new RegExp(`^HTTP/1\\.1 ${status} `))
    }
  })

  test('is waited for where it is only late: the next one comes on the same connection', async () => {
    const late = drip(post('/nothing', 'Content-Length: 2\r\n'), '')
    await until(() => late.answer().includes('404'))
    late.send('{}GET /health/live HTTP/1.1\r\nHost: pie\r\n\r\n')
    await until(() => late.answer().includes('HTTP/1.1 200'))
    late.send('GET /health/live HTTP/1.1\r\nHost: pie\r\nConnection: close\r\n\r\n')
    await until(() => late.isClosed())
    assert.equal(late.answer().match(/HTTP\/1\.1 200/g)?.length, 2)
  })
})

test('OPTIONS of the whole server has the methods that it takes', async () => {
  const asked = drip('OPTIONS * HTTP/1.1\r\nHost: pie\r\nConnection: close\r\n\r\n', '')
  await until(() => asked.isClosed())
  assert.match(asked.answer(), /^HTTP\/1\.1 204 /)
  assert.match(asked.answer(), /^allow: GET, HEAD, POST, PUT, PATCH, DELETE\r$/im)
})

test('a request that comes while the server stops is a problem that says when to come again', async () => {
  const stopping = await startTestPie()
  const begun = 'GET /health/live HTTP/1.1\r\nHost: pie\r\nX-Request-Id: late\r\n'
  const late = drip(begun, '', stopping.pie)
  await stopping.request('/health/live')
  const closing = stopping.close()
  await until(async () => {
    late.send('x: y\r\n')
    return stopping.request('/health/live').then(
      () => false,
      () => true,
    )
  })
  late.send('\r\n')
  await until(() => late.isClosed(), 20_000)
  await closing
  assert.match(late.answer(), /^HTTP\/1\.1 503 /)
  assert.match(late.answer(), /^retry-after: 1\r$/im)
  assert.match(late.answer(), /^content-type: application\/problem\+json/im)
  assert.match(late.answer(), /"code":"stopping"/)
})
