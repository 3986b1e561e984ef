import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { cloneDatabase, type TestDatabase } from '../harness/cluster.ts'
import { addBrowser, cacheStatus, type Nodes, revoke, startNodes, until } from '../harness/nodes.ts'
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts'
import { startTraffic } from '../harness/traffic.ts'

/** Every connection to Postgres but the listening ones goes through the proxy. */
let database: TestDatabase
let proxy: TcpProxy
let nodes: Nodes
/** Connected as the owner, past the proxy. */
let owner: pg.Client
before(async () => {
  database = await cloneDatabase()
  proxy = await startTcpProxy(database.url)
  nodes = await startNodes({ DIRECT_DATABASE_URL: database.url }, proxy.through(database.url))
  for (const node of nodes.all) node.owner.on('error', () => {})
  owner = new pg.Client({ connectionString: database.url })
  await owner.connect()
})
after(async () => {
  await owner?.end()
  await nodes?.close()
  await proxy?.close()
  await database?.drop()
})

test('connections that are cut again and again cost some requests a try, and nobody their session', async () => {
  const ending = await addBrowser(owner, 'ada')
  const lasting = await addBrowser(owner, 'ada')
  const traffic = startTraffic(nodes.all, [ending, lasting])
  await traffic.round()
  for (let times = 0; times < 10; times += 1) {
    // Out of date, so that it is being read again when the connections go.
    await owner.query('update pie_schema.users set version = version')
    proxy.cut()
    await traffic.round()
  }
  const cutOnce = traffic.count(503)
  await revoke(nodes.all[2], ending)
  traffic.ended(ending, 2)
  proxy.cut()
  await traffic.round()
  // A read that has lost its connection is made once more, so most of them notice nothing.
  assert.ok(cutOnce <= 20, `${cutOnce} answers of 503`)
  await traffic.stop()
})

test('when no connection can be made, whoever is cached goes on, and everybody does when one can', async () => {
  const grace = await addBrowser(owner, 'grace')
  const traffic = startTraffic(nodes.all, [grace])
  await traffic.round()
  for (const node of nodes.all) await until(async () => (await cacheStatus(node)).hears)
  await traffic.round()
  await proxy.refuse()
  proxy.cut()
  for (let times = 0; times < 3; times += 1) await traffic.round()
  assert.equal(traffic.count(503), 0)
  await proxy.accept()
  await traffic.stop()
  for (const node of nodes.all) {
    const me = await node.request('/users/me', { headers: grace.headers })
    assert.equal(me.body.email, 'grace@example.com')
  }
})
