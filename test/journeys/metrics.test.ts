import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fastify, LogController } from 'fastify'
import pg from 'pg'
import { pino } from 'pino'
import { pie } from '../../server/src/index.ts'
import { registerByCookie } from '../harness/by-cookie.ts'
import { cloneDatabase, testSecretKey } from '../harness/cluster.ts'
import { readingOf, readMetrics } from '../harness/metrics.ts'
import {
  assertProblem,
  goodPassword,
  register,
  send,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

const token = 'Rk7vQ2mXw9Lr4Tz6Nc8Yp3Ms5Dh1Gf0Jb'

describe('a node with METRICS_TOKEN', () => {
  let pie: TestPie
  before(async () => {
    pie = await startTestPie({ settings: { METRICS_TOKEN: token } })
  })
  after(() => pie.close())

  const ask = () => pie.request('/metrics', { token })

  /** One that is made from now on: within a second, all are shown the same. */
  const scrape = async () => {
    const earlier = await ask()
    let answer = earlier
    while (answer.body === earlier.body) {
      await sleep(50)
      answer = await ask()
    }
    return readMetrics(answer)
  }

  test('makes them once for all who ask within a second', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, ask))
    const texts = answers.map(({ body }) => String(body))
    assert.ok(new Set(texts).size <= 2, 'a second may end meanwhile')
    assert.match(String(texts[0]), /^pie_process_cpu_seconds_total /m)
  })

  test('shows its metrics to whoever has it, and to nobody else', async () => {
    const answer = await pie.request('/metrics', { token })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    const { access_token } = await register(pie, 'margaret')
    for (const wrong of [undefined, `${token}x`, token.slice(1), access_token]) {
      const refused = await pie.request('/metrics', wrong === undefined ? {} : { token: wrong })
      assertProblem(refused, 401, 'unauthenticated')
      assert.doesNotMatch(JSON.stringify(refused.body), /pie_/)
    }
    for (const authorization of [`Basic ${token}`, token, `Bearer ${token} ${token}`])
      assert.equal(
        (await pie.request('/metrics', { headers: { authorization } })).status,
        401,
        authorization,
      )
  })

  test('counts requests by method, pattern and status, with how long they took', async () => {
    await pie.request('/auth/sessions/6f1c1f0e-3d52-4a5e-9d3e-0a4f6d2b7c11', { method: 'DELETE' })
    await pie.request('/there/is/nothing?secret=1')
    await pie.request('/%zz')
    const found = await scrape()
    const count = (labels: Record<string, string>) =>
      readingOf(found, 'pie_http_request_duration_seconds_count', labels)
    assert.equal(count({ method: 'DELETE', route: '/auth/sessions/:id', status: '401' }), 1)
    assert.equal(count({ method: 'GET', route: 'unknown', status: '404' }), 1)
    assert.equal(count({ method: 'GET', route: 'unknown', status: '400' }), 1)
    assert.equal(
      readingOf(found, 'pie_http_request_duration_seconds_bucket', {
        ...{ method: 'GET', route: 'unknown', status: '404', le: '+Inf' },
      }),
      1,
    )
  })

  test('says what was found in memory, and what was read', async () => {
    const { cookie } = await registerByCookie(pie, 'ada')
    const before = await scrape()
    await pie.request('/auth/session', { headers: { cookie } })
    await pie.request('/auth/session', { headers: { cookie } })
    const found = await scrape()
    const grown = (tier: string) =>
      readingOf(found, 'pie_session_reads_total', { tier }) -
      readingOf(before, 'pie_session_reads_total', { tier })
    assert.equal(grown('near') + grown('read'), 2)
    assert.ok(grown('near') >= 1)
    assert.equal(readingOf(found, 'pie_cache_believed', {}), 1)
    assert.ok(readingOf(found, 'pie_heartbeat_age_seconds', {}) < 2)
    assert.equal(found.has('pie_shared_cache_up'), false)
  })

  test('hears of a revocation, and measures how late', async () => {
    const { cookie, csrfToken } = await registerByCookie(pie, 'grace')
    const before = await scrape()
    const headers = { cookie, 'x-csrf-token': csrfToken }
    const ended = await pie.request('/auth/logout', { method: 'POST', headers })
    assert.ok(ended.status < 300, JSON.stringify(ended))
    for (;;) {
      const found = readMetrics(await pie.request('/metrics', { token }))
      const grown = (name: string, labels = {}) =>
        readingOf(found, name, labels) - readingOf(before, name, labels)
      if (grown('pie_revocation_delay_seconds_count') === 0) {
        await sleep(20)
        continue
      }
      assert.equal(grown('pie_notices_heard_total', { of: 'session' }), 1)
      const seconds = grown('pie_revocation_delay_seconds_sum')
      assert.ok(seconds >= 0 && seconds < 60, String(seconds))
      return
    }
  })

  test('counts what was throttled, by limit and route', async () => {
    const body = { email: 'throttled@example.com', password: `not ${goodPassword}` }
    let status = 0
    while (status !== 429) status = (await pie.request('/auth/login', { body })).status
    const found = await scrape()
    const labels = { limit: 'attempts', route: '/auth/login' }
    assert.equal(readingOf(found, 'pie_throttled_total', labels), 1)
    assert.ok(
      readingOf(found, 'pie_password_task_duration_seconds_count', { task: 'verify' }) >= 10,
    )
  })

  test('says how many sessions live, which migrations there are, and what the doctor has found', async () => {
    const { rows } = await pie.owner.query(
      'select count(*)::int as count from pie_private.sessions where revoked_at is null and expires_at > now()',
    )
    assert.ok(rows[0].count > 0)
    const found = await scrape()
    assert.equal(readingOf(found, 'pie_database_up', {}), 1)
    assert.ok(readingOf(found, 'pie_sessions_live', {}) <= rows[0].count)
    assert.ok(readingOf(found, 'pie_migrations', { state: 'applied' }) >= 28)
    assert.equal(readingOf(found, 'pie_migrations', { state: 'pending' }), 0)
    assert.equal(readingOf(found, 'pie_doctor_findings', { weight: 'opens' }), 0)
    for (const pool of ['auth', 'requests']) {
      assert.equal(readingOf(found, 'pie_database_connections_max', { pool }), 4)
      assert.ok(readingOf(found, 'pie_database_connection_wait_seconds_count', { pool }) > 0)
    }
  })

  test('shows nothing of anybody: no address, token, id or query in any label', async () => {
    const text = String((await pie.request('/metrics', { token })).body)
    assert.doesNotMatch(text, /@|secret|eyJ|[0-9a-f]{8}-[0-9a-f]{4}/)
    assert.ok(!text.includes(token))
    const labels = new Set([...text.matchAll(/[{,]([a-z_]+)="/g)].map(([, name]) => name))
    const known = ['le', 'limit', 'method', 'node', 'of', 'pool', 'quantile', 'route', 'state']
    assert.deepEqual(
      [...labels].sort(),
      [...known, 'status', 'task', 'tier', 'version', 'weight'].sort(),
    )
  })
})

describe('a node with METRICS_SOCKET', () => {
  let pie: TestPie
  let watched: string
  before(async () => {
    pie = await startTestPie({ settings: { METRICS_SOCKET: '127.0.0.1:0' } })
    watched = pie.pie.metricsAddress ?? ''
  })
  after(() => pie.close())

  test('answers metrics and health there, and nothing else', async () => {
    const found = readMetrics(await send(watched, '/metrics'))
    assert.equal(readingOf(found, 'pie_database_up', {}), 1)
    assert.equal((await send(watched, '/health/live')).status, 200)
    assert.equal((await send(watched, '/health/ready')).status, 200)
    assertProblem(await send(watched, '/health/cache'), 401, 'unauthenticated')
    const listened = pie.log.flatMap((line) => /"msg":"(\w+) listens at/.exec(line)?.[1] ?? [])
    assert.deepEqual(listened, ['SOCKET', 'METRICS_SOCKET'], 'it is ready before it says so')
    for (const path of ['/auth/session', '/users/me', '/openapi.json', '/docs', '/'])
      assertProblem(await send(watched, path), 404, 'not_found')
    const body = { email: 'ada@example.com', password: goodPassword }
    assertProblem(await send(watched, '/auth/login', { body }), 404, 'not_found')
  })

  test('answers no metrics where everybody is answered', async () => {
    assertProblem(await pie.request('/metrics'), 404, 'not_found')
    assertProblem(await pie.request('/metrics', { token }), 404, 'not_found')
  })

  test('asks for METRICS_TOKEN there too where it is set', async () => {
    const both = await startTestPie({
      databaseUrl: pie.databaseUrl,
      settings: { METRICS_SOCKET: '127.0.0.1:0', METRICS_TOKEN: token },
    })
    try {
      const address = both.pie.metricsAddress ?? ''
      assertProblem(await send(address, '/metrics'), 401, 'unauthenticated')
      for (const [path, needed] of [
        ['/metrics', /METRICS_TOKEN/],
        ['/health/ready?verbose', /SECRET_KEY/],
        ['/health/cache', /SECRET_KEY/],
      ] as const) {
        const { title, detail } = (await send(address, path)).body
        assert.match(detail, needed)
        assert.match(title, /token/)
      }
      assert.equal((await send(address, '/metrics', { token })).status, 200)
      assert.equal((await both.request('/metrics', { token })).status, 200)
    } finally {
      await both.close()
    }
  })
})

describe('a node whose Postgres cannot be reached', () => {
  test('says so, and all that it knows itself', async () => {
    const pie = await startTestPie({ settings: { METRICS_TOKEN: token } })
    const url = new URL(pie.databaseUrl)
    const name = url.pathname.slice(1)
    url.pathname = '/postgres'
    const admin = new pg.Client({ connectionString: url.href })
    await admin.connect()
    try {
      await register(pie, 'ada')
      await admin.query(`alter database ${name} with allow_connections false`)
      await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename in ('pie_auth', 'cream')`,
        [name],
      )
      const gone = readMetrics(await pie.request('/metrics', { token }))
      assert.deepEqual(gone.get('pie_database_up'), [{ labels: {}, value: 0 }])
      for (const asked of ['pie_migrations', 'pie_sessions_live'])
        assert.equal(gone.has(asked), false, asked)
      assert.ok((gone.get('pie_http_request_duration_seconds_count')?.length ?? 0) > 0)
      await admin.query(`alter database ${name} with allow_connections true`)
      for (;;) {
        const found = readMetrics(await pie.request('/metrics', { token }))
        if (readingOf(found, 'pie_database_up', {}) === 0) continue
        assert.ok(readingOf(found, 'pie_migrations', { state: 'applied' }) > 0)
        break
      }
    } finally {
      await admin.query(`alter database ${name} with allow_connections true`)
      await admin.end()
      await pie.close()
    }
  })

  test('is not waited for longer than two seconds', async () => {
    const pie = await startTestPie({
      settings: { METRICS_TOKEN: token, DATABASE_CONNECTIONS: '1' },
    })
    try {
      // Locks what a scrape reads, as a long alter table would.
      await pie.owner.query('begin; lock table pie_private.migrations')
      const beganMs = performance.now()
      const waiting = [pie.request('/metrics', { token }), pie.request('/metrics', { token })]
      for (const answer of await Promise.all(waiting))
        assert.deepEqual(readMetrics(answer).get('pie_database_up'), [{ labels: {}, value: 0 }])
      const tookMs = performance.now() - beganMs
      assert.ok(tookMs >= 2_000, `${tookMs} ms: nothing was waited for`)
      await pie.owner.query('rollback')
    } finally {
      await pie.close()
    }
  })
})

test('a METRICS_SOCKET that is taken is named', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  try {
    await assert.rejects(
      startTestPie({ settings: { METRICS_SOCKET: `127.0.0.1:${port}` } }),
      /Could not listen on 127\.0\.0\.1:\d+: something else listens there\. Set METRICS_SOCKET/,
    )
  } finally {
    taken.close()
  }
})

test('inside an application METRICS_SOCKET is not listened on, which it is told, and requests are the application’s to log', async () => {
  const database = await cloneDatabase()
  const lines: string[] = []
  const app = fastify({
    loggerInstance: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
    logController: new LogController({ disableRequestLogging: true }),
  })
  try {
    await app.register(pie, {
      settings: {
        DATABASE_URL: database.url,
        SECRET_KEY: testSecretKey,
        DATABASE_CONNECTIONS: '2',
        METRICS_SOCKET: '127.0.0.1:0',
      },
    })
    assert.equal((await app.inject('/health/live')).statusCode, 200)
    assert.equal((await app.inject('/metrics')).statusCode, 404)
    const messages = lines.map((line) => JSON.parse(line).msg)
    assert.ok(messages.some((message) => /^METRICS_SOCKET is for a Pie server/.test(message)))
    assert.ok(!messages.includes('request'))
  } finally {
    await app.close()
    await database.drop()
  }
})

test('with neither there are no metrics', async () => {
  const pie = await startTestPie()
  try {
    assert.equal(pie.pie.metricsAddress, null)
    assertProblem(await pie.request('/metrics'), 404, 'not_found')
    assertProblem(await pie.request('/metrics', { token }), 404, 'not_found')
  } finally {
    await pie.close()
  }
})
