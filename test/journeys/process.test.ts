import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { testSecretKey } from '../harness/cluster.ts'
import { goodPassword, send } from '../harness/pie.ts'
import {
  type DataDirectory,
  findFreePort,
  makeDataDirectory,
  type PieProcess,
  runPie,
  startPieInTerminal,
  startPieProcess,
  waitForEnd,
} from '../harness/process.ts'

describe('pie start with nothing configured', () => {
  let data: DataDirectory
  let settings: Record<string, string>
  let pie: PieProcess
  before(async () => {
    data = makeDataDirectory()
    settings = { DATA_DIR: data.path, SOCKET: `127.0.0.1:${await findFreePort()}` }
    pie = await startPieProcess(settings)
    const body = { email: 'ada@example.com', password: goodPassword }
    await send(pie.address, '/auth/register', { body })
  })
  after(async () => {
    await pie.end('SIGTERM')
    data.remove()
  })

  test('says in its log where it is and where the data is, and nothing that is not a line of JSON', () => {
    const lines = pie
      .output()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const { address, data: place } = lines.find(({ msg }) => msg === 'Pie is running')
    assert.equal(address, pie.address)
    assert.match(place, new RegExp(`^${data.path}`))
  })

  test('in a terminal prints where it is, where the data is, and curl lines that work as printed', async () => {
    const own = makeDataDirectory()
    const terminal = await startPieInTerminal({
      DATA_DIR: own.path,
      SOCKET: `127.0.0.1:${await findFreePort()}`,
    })
    assert.match(terminal.output(), new RegExp(`data +${own.path}`))
    const lines = terminal.output().match(/^ {2}(curl|TOKEN=).*$/gm) ?? []
    assert.equal(lines.length, 3)
    const printed = execFileSync('bash', ['-c', lines.join('\necho\n')]).toString()
    const answers = printed
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
    assert.equal(answers.length, 2)
    assert.equal(answers[0].user.email, 'ada@example.com')
    assert.deepEqual(answers[1], answers[0].user)
    assert.equal(await terminal.interrupt(), 0)
    own.remove()
  })

  test('a second Pie on the same DATA_DIR says so and exits 1', async () => {
    const second = await runPie(['start'], {
      ...settings,
      SOCKET: `127.0.0.1:${await findFreePort()}`,
    })
    assert.equal(second.code, 1)
    assert.match(second.stderr, new RegExp(`Another Pie .* is running on ${data.path}`))
    assert.equal((await send(pie.address, '/health/ready')).status, 200)
  })

  test('commands work beside a running Pie', async () => {
    const created = await runPie(
      ['user', 'create', 'dorothy@example.com', '--admin', '--json'],
      settings,
    )
    assert.equal(created.code, 0, created.stderr)
    const { password } = JSON.parse(created.stdout)
    const login = await send(pie.address, '/auth/login', {
      body: { email: 'dorothy@example.com', password },
    })
    assert.deepEqual(login.body.user.roles, ['admin', 'viewer'])
  })

  test('a session survives kill -9 of Pie alone, and of everything', async () => {
    const login = await send(pie.address, '/auth/login', {
      body: { email: 'ada@example.com', password: goodPassword },
    })
    const token = login.body.access_token
    await pie.end('SIGKILL')
    pie = await startPieProcess(settings)
    assert.equal((await send(pie.address, '/users/me', { token })).status, 200)

    const postgres = data.postgresPid()
    pie.child.kill('SIGKILL')
    process.kill(postgres, 'SIGKILL')
    await pie.end('SIGKILL')
    await waitForEnd(postgres)
    pie = await startPieProcess(settings)
    assert.equal((await send(pie.address, '/users/me', { token })).body.email, 'ada@example.com')
    const refresh_token = login.body.refresh_token
    assert.equal(
      (await send(pie.address, '/auth/refresh', { body: { refresh_token } })).status,
      200,
    )
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} finishes the request in flight, stops Postgres and exits 0`, async () => {
      const postgres = data.postgresPid()
      const { hostname, port } = new URL(pie.address)
      const body = JSON.stringify({ email: 'ada@example.com', password: goodPassword })
      const socket = connect(Number(port), hostname)
      await once(socket, 'connect')
      socket.write(
        `POST /auth/login HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\n` +
          `Content-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
      )
      // Answered after the half request above has arrived: both travel on loopback, in order.
      await send(pie.address, '/health/live')
      const ended = pie.end(signal)
      await assert.rejects(async () => {
        for (;;) await send(pie.address, '/health/live')
      })
      socket.write(body.slice(10))
      const [answer] = await once(socket, 'data')
      assert.match(answer.toString(), /^HTTP\/1\.1 200 OK/)
      socket.end()
      const stopping = pie
      assert.equal(await ended, 0)
      assert.match(stopping.output(), /"msg":"Pie is stopping"/)
      assert.equal(
        JSON.parse(stopping.output().trim().split('\n').at(-1) ?? '').msg,
        'Pie has stopped',
      )
      await waitForEnd(postgres)
      pie = await startPieProcess(settings)
    })
  }

  test('Pie ends with 1 and says why when its Postgres is taken away', async () => {
    const ended = once(pie.child, 'exit')
    process.kill(data.postgresPid(), 'SIGQUIT')
    assert.deepEqual((await ended)[0], 1)
    assert.match(pie.output(), /embedded Postgres has ended/)
    pie = await startPieProcess(settings)
  })
})

describe('pie start that cannot start', () => {
  let data: DataDirectory
  before(() => {
    data = makeDataDirectory()
  })
  after(() => data.remove())

  test('a taken address is named before anything is begun', async () => {
    const taken = await findFreePort()
    const { createServer } = await import('node:net')
    const other = createServer().listen(taken, '127.0.0.1')
    await once(other, 'listening')
    const refused = await runPie(['start'], { DATA_DIR: data.path, SOCKET: `127.0.0.1:${taken}` })
    other.close()
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      new RegExp(`127\\.0\\.0\\.1:${taken}: something else listens there`),
    )
    assert.deepEqual(readdirSync(data.path), [], 'it is found out before anything is made')
  })

  test('every mistake in the configuration is listed by name at once', async () => {
    const refused = await runPie(['start'], {
      DATA_DIR: data.path,
      SOCKET: 'nowhere',
      SECRET_KEY: 'short',
      ACCESS_TOKEN_TTL: 'soon',
      SERVICE_DOMAIN: 'https://example.com/path',
    })
    assert.equal(refused.code, 1)
    for (const name of ['SOCKET', 'SECRET_KEY', 'ACCESS_TOKEN_TTL', 'SERVICE_DOMAIN']) {
      assert.match(refused.stderr, new RegExp(`^  ${name} is`, 'm'))
    }
    assert.doesNotMatch(refused.stderr, /\n\s+at /)
  })

  test('a database that cannot be reached is one clear sentence', async () => {
    const refused = await runPie(['start'], {
      DATA_DIR: data.path,
      SECRET_KEY: testSecretKey,
      DATABASE_URL: `postgres://nobody:hidden-password@127.0.0.1:${await findFreePort()}/nothing`,
    })
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /^pie: Could not connect to Postgres.*ECONNREFUSED.*DATABASE_URL/)
    assert.doesNotMatch(refused.stderr + refused.stdout, /hidden-password/)
  })
})
