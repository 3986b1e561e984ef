import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import type pg from 'pg'
import { TRUST_MS } from '../../server/src/ground/cache/protocol.ts'
import {
  addBrowser,
  type Browser,
  cacheStatus,
  revoke,
  startListeningThroughProxy,
  until,
  whoAmI,
} from '../harness/nodes.ts'
import { assertProblem, startTestPie, type TestPie } from '../harness/pie.ts'
import type { TcpProxy } from '../harness/tcp-proxy.ts'
import { startTraffic } from '../harness/traffic.ts'
import { startValkey, type Valkey } from '../harness/valkey.ts'

let valkey: Valkey
/** Hears directly. What it reads, it shares. */
let sound: TestPie
let owner: pg.Client
/** The settings of every node here. */
let shared: { CACHE_URL: string }
before(async () => {
  valkey = await startValkey()
  shared = { CACHE_URL: valkey.url }
  sound = await startTestPie({ settings: shared })
  owner = sound.owner
})
after(async () => {
  await sound?.close()
  await valkey?.stop()
})

const hears = async (node: TestPie): Promise<boolean> => (await cacheStatus(node)).hears

/** A session that the deaf node believes in ends elsewhere: how long it goes on being let in there. */
async function endElsewhere(
  t: TestContext,
  name: string,
  fault: (proxy: TcpProxy) => Promise<void> | void,
) {
  const { node, proxy, close } = await startListeningThroughProxy(sound, shared)
  t.after(close)
  const ending = await addBrowser(owner, name)
  const lasting = await addBrowser(owner, name)
  const traffic = startTraffic([sound, node], [ending, lasting])
  await traffic.round()
  await until(async () => (await cacheStatus(node)).hits > 0)
  await fault(proxy)
  await revoke(sound, ending)
  traffic.ended(ending, 0)
  await until(async () => (await whoAmI(node, ending)).status === 401, TRUST_MS)
  await until(async () => !(await hears(node)), TRUST_MS + 500)
  await traffic.round()
  const { reads } = await cacheStatus(node)
  assert.equal((await whoAmI(node, lasting)).status, 200)
  assert.ok((await cacheStatus(node)).reads > reads, 'Postgres is asked by whoever does not hear')
  proxy.speak()
  await proxy.accept()
  await until(() => hears(node))
  await traffic.round()
  const { hits } = await cacheStatus(node)
  // It believes its cache again.
  await until(async () => (await cacheStatus(node)).hits > hits)
  await traffic.stop()
  assert.equal(traffic.count(503), 0)
}

describe('no session outlives its end by two seconds at a node', { concurrency: true }, () => {
  test('whose listening connection is cut and cannot be made again', (t) =>
    endElsewhere(t, 'ada', async (proxy) => {
      await proxy.refuse()
      proxy.cut()
    }))

  test('whose listening connection goes silent, and every new one too', (t) =>
    endElsewhere(t, 'grace', async (proxy) => {
      proxy.silence()
      await proxy.refuse()
      await proxy.accept()
    }))

  test('whose listening connection goes silent for good, until it makes another', async (t) => {
    const { node, proxy, close } = await startListeningThroughProxy(sound, shared)
    t.after(close)
    const ending = await addBrowser(owner, 'dorothy')
    const lasting = await addBrowser(owner, 'dorothy')
    const traffic = startTraffic([sound, node], [ending, lasting])
    await traffic.round()
    proxy.forget()
    await owner.query('select pie_private.revoke_sessions($1, null)', [ending.sessionId])
    traffic.ended(ending)
    await until(async () => (await whoAmI(node, ending)).status === 401, TRUST_MS)
    await until(async () => !(await hears(node)))
    await until(() => hears(node))
    await traffic.round()
    await traffic.stop()
  })
})

describe('what a node has not heard, it does not believe from the shared cache either', () => {
  /** Ends a session where no node notices, so that its entry in the shared cache stays. */
  const endUnnoticed = ({ sessionId }: Browser) =>
    owner.query('select pie_private.revoke_sessions($1, null)', [sessionId])
  const isShared = async ({ sessionId }: Browser): Promise<boolean> => {
    const key = await valkey.findKey(sessionId)
    return key !== null && Number(await valkey.ask('STRLEN', key)) > 100
  }

  /** Has a node read a session, until it has shared it: while it does not hear it shares nothing. */
  const share = (node: TestPie, browser: Browser) =>
    until(async () => {
      assert.equal((await whoAmI(node, browser)).status, 200)
      return isShared(browser)
    })

  test('after its connection was cut for a moment', async (t) => {
    const { node, proxy, close } = await startListeningThroughProxy(sound, shared)
    t.after(close)
    const ada = await addBrowser(owner, 'ada')
    await share(node, ada)
    await proxy.refuse()
    proxy.cut()
    await until(async () => !(await hears(node)))
    await endUnnoticed(ada)
    await proxy.accept()
    await until(() => hears(node))
    assert.ok(await isShared(ada))
    assertProblem(await whoAmI(node, ada), 401, 'unauthenticated')
  })

  test('when it has only just started', async (t) => {
    const ada = await addBrowser(owner, 'ada')
    await share(sound, ada)
    await endUnnoticed(ada)
    const { node, close } = await startListeningThroughProxy(sound, shared)
    t.after(close)
    await until(() => hears(node))
    assert.ok(await isShared(ada))
    assertProblem(await whoAmI(node, ada), 401, 'unauthenticated')
  })

  test('when the notice came in one piece with what it was told as it began to listen', async (t) => {
    let isArmed = false
    const { node, proxy, close } = await startListeningThroughProxy(sound, shared, (text, wire) => {
      if (!isArmed || !/clock_timestamp/.test(text)) return
      isArmed = false
      wire.keepAnswers()
    })
    t.after(close)
    const ada = await addBrowser(owner, 'ada')
    isArmed = true
    proxy.cut()
    await until(async () => {
      const { rows } = await owner.query(
        `select state = 'idle' and query ~ 'clock_timestamp' as is_answered
         from pg_stat_activity where application_name = 'pie listener' and datname = current_database()
         order by backend_start desc limit 1`,
      )
      return !isArmed && rows[0]?.is_answered
    })
    // Read by the other node, and ended, while the first one's answer is on its way.
    await share(sound, ada)
    await endUnnoticed(ada)
    await until(async () => (await whoAmI(sound, ada)).status === 401)
    proxy.speak()
    await until(() => hears(node))
    assert.ok(await isShared(ada))
    // A network may deliver it in two pieces after all.
    await until(async () => (await whoAmI(node, ada)).status === 401, TRUST_MS)
    assertProblem(await whoAmI(node, ada), 401, 'unauthenticated')
  })
})

test('a node whose connection falls silent just as it begins to listen makes another', async (t) => {
  let isArmed = false
  const { node, proxy, close } = await startListeningThroughProxy(sound, shared, (text, wire) => {
    if (isArmed && /listen pie_cache/.test(text)) {
      isArmed = false
      wire.forget()
    }
  })
  t.after(close)
  const ada = await addBrowser(owner, 'ada')
  isArmed = true
  proxy.cut()
  await until(async () => !(await hears(node)))
  assert.equal((await whoAmI(node, ada)).status, 200)
  await until(() => hears(node))
})
