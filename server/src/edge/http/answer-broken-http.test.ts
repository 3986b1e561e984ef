import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Log } from '../../ground/log.ts'
import { answerBrokenHttp, answerStrayRequests } from './answer-broken-http.ts'

describe('a request that does not arrive in time', () => {
  let server: Server
  before(async () => {
    // As Pie's own, but for how long it waits.
    const patience = { requestTimeout: 300, headersTimeout: 300, connectionsCheckingInterval: 50 }
    server = createServer(patience, (request, response) => {
      request.resume().on('end', () => response.end('answered'))
      if (request.url === '/early') response.writeHead(200).end('early')
    })
    const answering = {
      securityHeaders: { 'x-careful': 'yes' },
      watching: { isLogged: false, counts: null },
      log: {} as Log,
    }
    server.on('clientError', (error, socket) => answerBrokenHttp(error, socket, answering))
    answerStrayRequests(server, answering)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  after(() => server.close())

  async function say(bytes: string): Promise<string> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('utf8')
    let answer = ''
    socket.on('data', (data) => {
      answer += data
    })
    socket.write(bytes)
    await once(socket, 'close')
    return answer
  }

  test('is answered with a problem, whatever of it is missing', async () => {
    for (const beginning of [
      'GET / HTTP/1.1\r\nHost: pie\r\nX-Slow',
      'POST / HTTP/1.1\r\nHost: pie\r\nContent-Length: 9\r\n\r\nabc',
      'POST / HTTP/1.1\r\nHost: pie\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
    ]) {
      const answer = await say(beginning)
      assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/)
      assert.match(answer, /^Content-Type: application\/problem\+json\r\n/m)
      assert.match(answer, /^x-careful: yes\r\n/m)
      assert.match(answer, /"code":"request_timeout"\}$/)
    }
  })

  test('comes after the answers to those before it', async () => {
    const first = 'GET / HTTP/1.1\r\nHost: pie\r\n\r\n'
    const answer = await say(`${first}POST / HTTP/1.1\r\nHost: pie\r\nContent-Length: 9\r\n\r\n`)
    assert.match(answer, /^HTTP\/1\.1 200 .*answered.*HTTP\/1\.1 408 /s)
  })

  test('is not answered twice', async () => {
    const answer = await say('POST /early HTTP/1.1\r\nHost: pie\r\nContent-Length: 9\r\n\r\nabc')
    assert.match(answer, /^HTTP\/1\.1 200 .*early/s)
    assert.doesNotMatch(answer, /408/)
  })
})
