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
  const answers: { token: number; status: number; startedAt: number }[] = []
  let isOver = false
  const go = async (token: string, index: number) => {
    for (let turn = index; !isOver; turn += 1) {
      const change = { method: 'PATCH', body: { name: `turn ${turn}` } }
      const startedAt = performance.now()
      const { status } = await pie.request('/users/me', { token, ...(turn % 2 && change) })
      answers.push({ token: index, status, startedAt })
      await sleep(2)
    }
  }
  const going = tokens.map(go)
  return {
    /** Answers to requests that started after a moment. */
    count: (wanted: number, since = 0) =>
      answers.filter(({ status, startedAt }) => status === wanted && startedAt > since).length,
    /** Whether everybody has been served by then. */
    isServing: (since: number) =>
      tokens.every((_, index) =>
        answers.some(
          ({ token, status, startedAt }) => token === index && status === 200 && startedAt > since,
        ),
      ),
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
  await until(() => working.isServing(since))
  const settled = performance.now()
  await until(() => working.isServing(settled) && working.count(200, settled) > 100)
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
