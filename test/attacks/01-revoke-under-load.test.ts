import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cloneDatabase, type TestDatabase } from '../harness/cluster.ts'
import {
  addBrowser,
  type Browser,
  type Nodes,
  revoke,
  startNodes,
  whoAmI,
} from '../harness/nodes.ts'
import { assertProblem, type TestPie } from '../harness/pie.ts'
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts'
import { startTraffic } from '../harness/traffic.ts'
import { startValkey, type Valkey } from '../harness/valkey.ts'

/** How late every node hears of what the others change: the node that changed it must not wait for that. */
const HEARS_AFTER_MS = 150

let valkey: Valkey
let database: TestDatabase
let toValkey: TcpProxy
let toPostgres: TcpProxy
/** Of the nodes without a shared cache, with one, and with one that is far away. */
let without: Nodes
let near: Nodes
let far: Nodes
before(async () => {
  valkey = await startValkey()
  database = await cloneDatabase()
  toValkey = await startTcpProxy(valkey.url)
  toPostgres = await startTcpProxy(database.url)
  const start = (settings: Record<string, string>) =>
    startNodes({ DIRECT_DATABASE_URL: toPostgres.through(database.url), ...settings }, database.url)
  without = await start({})
  near = await start({ CACHE_URL: valkey.url })
  far = await start({ CACHE_URL: toValkey.through(valkey.url) })
  toPostgres.delay(HEARS_AFTER_MS / 2)
})
after(async () => {
  for (const nodes of [far, near, without]) await nodes?.close()
  for (const proxy of [toValkey, toPostgres]) await proxy?.close()
  await database?.drop()
  await valkey?.stop()
})

/**
 * Fills the caches again and again, until told to stop: 50 requests at once, and a user who changes all
 * the time, so that at any moment something is being read.
 */
function fill({ all, owner }: Nodes, name: string, browser: Browser): () => Promise<void> {
  let isOver = false
  const work = Array.from({ length: 50 }, async (_, index) => {
    while (!isOver) await whoAmI(all[index % all.length] as TestPie, browser)
  })
  const change = async () => {
    while (!isOver) {
      await owner.query('update pie_schema.users set version = version where name = $1', [name])
      await sleep(5)
    }
  }
  work.push(change())
  for (const one of work) one.catch(() => {})
  return async () => {
    isOver = true
    await Promise.all(work)
  }
}

/** Ends a session in the middle of all that, and asks again at once. */
async function revokeInTheMiddle(nodes: Nodes, name: string, meanwhile = async () => {}) {
  const browser = await addBrowser(nodes.owner, name)
  const other = await addBrowser(nodes.owner, name)
  const stopFilling = fill(nodes, name, browser)
  const traffic = startTraffic(nodes.all, [browser, other])
  await traffic.round()
  const [revoking] = nodes.all
  const revoked = revoke(revoking, browser).then(() => traffic.ended(browser, 0))
  await Promise.all([revoked, meanwhile()])
  const answers = await Promise.all(Array.from({ length: 50 }, () => whoAmI(revoking, browser)))
  for (const answer of answers) assertProblem(answer, 401, 'unauthenticated')
  await stopFilling()
  await traffic.stop()
}

describe('a session revoked while 50 requests at once fill the caches is refused from the answer on', {
  concurrency: true,
}, () => {
  test('without a shared cache', () => revokeInTheMiddle(without, 'ada'))

  test('with a shared cache', () => revokeInTheMiddle(near, 'grace'))

  test('with a shared cache that is slow', async () => {
    toValkey.delay(60)
    await revokeInTheMiddle(far, 'dorothy')
  })

  test('with a shared cache that is flushed all the time', () =>
    revokeInTheMiddle(near, 'katherine', async () => {
      for (let times = 0; times < 20; times += 1) await valkey.ask('FLUSHALL')
    }))
})
