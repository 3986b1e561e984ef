import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { TRUST_MS } from '../../server/src/ground/cache/protocol.ts'
import { testSecretKey } from '../harness/cluster.ts'
import { addBrowser, cacheStatus, until, whoAmI } from '../harness/nodes.ts'
import { type Answer, assertProblem, send, startTestPie, type TestPie } from '../harness/pie.ts'
import { type PieProcess, startPieProcess } from '../harness/process.ts'
import { startValkey, type Valkey } from '../harness/valkey.ts'

let valkey: Valkey
/** Goes on while the other one stands still. */
let awake: TestPie
let pie: PieProcess
let asleep: Pick<TestPie, 'request'>
before(async () => {
  valkey = await startValkey()
  awake = await startTestPie({ settings: { CACHE_URL: valkey.url } })
  await startAgain()
  asleep = { request: (path, options) => send(pie.address, path, options) }
})
after(async () => {
  pie?.child.kill('SIGCONT')
  await pie?.end('SIGTERM')
  await awake?.close()
  await valkey?.stop()
})

async function startAgain(): Promise<void> {
  pie = await startPieProcess({
    SOCKET: '127.0.0.1:0',
    // As the node that goes on: the cookie holds its port.
    SERVICE_DOMAIN: 'http://localhost:3000',
    SECRET_KEY: testSecretKey,
    DATABASE_URL: awake.databaseUrl,
    CACHE_URL: valkey.url,
  })
}

describe('a node that has stood still for three seconds', () => {
  test('refuses what has ended meanwhile from its first answer on, and nothing else', async () => {
    const ending = await addBrowser(awake.owner, 'ada')
    const lasting = await addBrowser(awake.owner, 'ada')
    // Until it believes both without asking.
    await until(async () => {
      const { hits } = await cacheStatus(asleep)
      for (const browser of [ending, lasting])
        assert.equal((await whoAmI(asleep, browser)).status, 200)
      return (await cacheStatus(asleep)).hits === hits + 2
    })

    pie.child.kill('SIGSTOP')
    // With SQL: nothing takes its entry out of the shared cache.
    await awake.owner.query('select pie_private.revoke_sessions($1, null)', [ending.sessionId])
    await sleep(TRUST_MS + 1_000)
    const ask = () => Promise.all([whoAmI(asleep, ending), whoAmI(asleep, lasting)])
    const waiting = Array.from({ length: 5 }, ask)
    pie.child.kill('SIGCONT')
    const answers = await Promise.all([...waiting, ...Array.from({ length: 5 }, ask)])
    for (const [refused, letIn] of answers as [Answer, Answer][]) {
      assertProblem(refused, 401, 'unauthenticated')
      assert.equal(letIn.status, 200)
    }
    await until(async () => (await cacheStatus(asleep)).hears)
    assertProblem(await whoAmI(asleep, ending), 401, 'unauthenticated')
  })
})

describe('a node that is killed and started again', () => {
  test('refuses what ended meanwhile, though the shared cache still has it', async () => {
    const ending = await addBrowser(awake.owner, 'grace')
    // Read until it has been shared: a node that has not heard for a moment shares nothing.
    await until(async () => {
      assert.equal((await whoAmI(asleep, ending)).status, 200)
      return (await valkey.findKey(ending.sessionId)) !== null
    })
    await pie.end('SIGKILL')
    await awake.owner.query('select pie_private.revoke_sessions($1, null)', [ending.sessionId])
    await startAgain()
    const key = await valkey.findKey(ending.sessionId)
    assert.ok(Number(await valkey.ask('STRLEN', key ?? '')) > 100)
    assertProblem(await whoAmI(asleep, ending), 401, 'unauthenticated')
  })
})
