/** The pooler, or Postgres behind it, is started again while people are at work. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cloneDatabase, type TestDatabase } from '../harness/cluster.ts'
import { until } from '../harness/nodes.ts'
import { type PgBouncer, startPgBouncer } from '../harness/pgbouncer.ts'
import { register, startTestPie, type TestPie } from '../harness/pie.ts'

let database: TestDatabase
let pooler: PgBouncer
let pie: TestPie
before(async () => {
  database = await cloneDatabase()
  pooler = await startPgBouncer(database.url)
  pie = await startTestPie({
    databaseUrl: database.url,
    settings: { DATABASE_URL: pooler.through(database.url), DIRECT_DATABASE_URL: database.url },
  })
})
after(async () => {
  await pie?.close()
  await pooler?.stop()
  await database.drop()
})

/** People who read and change themselves, until they are told to stop. */
function work(tokens: string[]) {
  const answers: { status: number; at: number }[] = []
  let isOver = false
  const go = async (token: string, turn: number) => {
    for (; !isOver; turn += 1) {
      const change = { method: 'PATCH', body: { name: `turn ${turn}` } }
      const { status } = await pie.request('/users/me', { token, ...(turn % 2 && change) })
      answers.push({ status, at: performance.now() })
      await sleep(2)
    }
  }
  const going = tokens.map(go)
  return {
    count: (wanted: number, since = 0) =>
      answers.filter(({ status, at }) => status === wanted && at > since).length,
    stop: async () => {
      isOver = true
      await Promise.all(going)
      return [...new Set(answers.map(({ status }) => status))].sort()
    },
  }
}

const goesOnAfter = async (trouble: (working: ReturnType<typeof work>) => Promise<void>) => {
  const names = ['ada', 'grace', 'katherine', 'dorothy']
  const tokens = await Promise.all(
    names.map(async (name) => {
      const email = `${name}${Math.random().toString(36).slice(2)}`
      return (await register(pie, email)).access_token
    }),
  )
  const working = work(tokens.flatMap((token) => [token, token, token]))
  await until(() => working.count(200) > 50)
  await trouble(working)
  const since = performance.now()
  await until(() => working.count(200, since) > 100, 10_000)
  const settled = performance.now()
  await until(() => working.count(200, settled) > 100, 10_000)
  assert.equal(working.count(503, settled), 0)
  return working.stop()
}

test('while the pooler is away requests are refused with 503, and when it is back they are served', async () => {
  const statuses = await goesOnAfter(async (working) => {
    await pooler.kill()
    await until(() => working.count(503) > 10)
    await pooler.start()
  })
  assert.deepEqual(statuses, [200, 503])
})

test('connections of the server that end behind the pooler cost no more than what was under way', async () => {
  const statuses = await goesOnAfter(async () => {
    const { rowCount } = await pie.owner.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and usename in ('cream', 'pie_auth') and application_name = 'pie'`,
    )
    assert.ok(rowCount)
  })
  assert.ok(statuses.every((status) => [200, 503].includes(status)))
})
