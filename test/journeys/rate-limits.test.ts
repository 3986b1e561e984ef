import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, assertProblem, startTestPie, type TestPie } from '../harness/pie.ts'
import { startValkey, type Valkey } from '../harness/valkey.ts'

const PATH = '/openapi.json'
const LIMIT = 120

let valkey: Valkey
let one: TestPie
let two: TestPie
/** A node without a shared cache. */
let alone: TestPie
before(async () => {
  valkey = await startValkey()
  const own = { RATE_LIMIT_SCALE: '1', TRUSTED_PROXIES: '127.0.0.1' }
  const shared = { ...own, CACHE_URL: valkey.url }
  one = await startTestPie({ settings: shared })
  const { databaseUrl } = one
  two = await startTestPie({ databaseUrl, settings: shared })
  alone = await startTestPie({ databaseUrl, settings: own })
})
after(async () => {
  for (const node of [alone, two, one]) await node.close()
  await valkey.stop()
})

let networks = 0
/** A network that has asked for nothing yet. */
function nextNetwork(): string {
  networks += 1
  return `2001:db8:${networks.toString(16)}::`
}

/** Asks from some address of a network. */
const ask = (node: TestPie, network: string): Promise<Answer> => {
  const address = `${network}${Math.ceil(Math.random() * 0xffff).toString(16)}`
  return node.request(PATH, { headers: { 'x-forwarded-for': address } })
}

const remaining = ({ headers }: Answer): number => Number(headers.get('x-ratelimit-remaining'))

/** Waits until the two nodes count together, or each by itself. */
async function untilTheyCount(how: 'together' | 'apart'): Promise<void> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    const network = nextNetwork()
    const [first, second] = [await ask(one, network), await ask(two, network)].map(remaining)
    if (second === (how === 'together' ? LIMIT - 2 : LIMIT - 1) && first === LIMIT - 1) return
    await sleep(20)
  }
  throw new Error(`the nodes have not come to count ${how}`)
}

/** Asks as often as a network may, by turns of these nodes. */
async function useUp(nodes: TestPie[], network: string): Promise<void> {
  for (let count = 0; count < LIMIT; ) {
    for (const node of nodes) {
      assert.equal((await ask(node, network)).status, 200, `after ${count}`)
      count += 1
    }
  }
}

/** How often these nodes have said that they go on without the cache, as they do when it is slow. */
const troubles = (): number =>
  [one, two].flatMap(({ log }) => log).filter((line) => line.includes('Pie goes on without it'))
    .length

/** Does what holds while the nodes count together, once more if they have stopped doing so meanwhile. */
async function whileTogether(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    await untilTheyCount('together')
    const earlier = troubles()
    try {
      return await work()
    } catch (error) {
      if (troubles() === earlier || tries === 10) throw error
    }
  }
}

const assertTurnedAway = (answer: Answer): void => {
  assertProblem(answer, 429, 'too_many_requests')
  const wait = Number(answer.headers.get('retry-after'))
  assert.ok(wait >= 1 && wait <= 60, `${wait}`)
}

describe('a network that asks too often', () => {
  test('is turned away by every node of a shared cache, wherever it has asked', async () => {
    await whileTogether(async () => {
      const network = nextNetwork()
      await useUp([one, two], network)
      assertTurnedAway(await ask(one, network))
      assertTurnedAway(await ask(two, network))
      assert.equal((await ask(two, nextNetwork())).status, 200)
      assert.equal((await ask(alone, network)).status, 200)
    })
  })

  test('is turned away by the node that it has asked, where there is no shared cache', async () => {
    const network = nextNetwork()
    await useUp([alone], network)
    assertTurnedAway(await ask(alone, network))
    assert.equal((await ask(one, network)).status, 200)
  })

  test('is counted by each node while the shared cache is away, and by all when it is back', async () => {
    await valkey.kill()
    await untilTheyCount('apart')
    const network = nextNetwork()
    await useUp([one], network)
    assertTurnedAway(await ask(one, network))
    assert.equal((await ask(two, network)).status, 200)
    await valkey.start()
    await whileTogether(async () => {
      const another = nextNetwork()
      await useUp([two, one], another)
      assertTurnedAway(await ask(one, another))
      assertTurnedAway(await ask(two, another))
    })
  })

  test('may ask again within a minute of when it began', async () => {
    await whileTogether(async () => {
      const network = nextNetwork()
      await useUp([one, two], network)
      assertTurnedAway(await ask(one, network))
      // The cache keeps its own time: what would end within a minute is made to end now.
      const endAll = `for _, key in ipairs(redis.call('KEYS', 'pie:count:*')) do
        local left = redis.call('PTTL', key)
        if left < 1 or left > 60000 then return key end
        redis.call('PEXPIRE', key, 0)
      end
      return 'ended'`
      assert.equal(String(await valkey.ask('EVAL', endAll, '0')), 'ended')
      assert.equal(remaining(await ask(two, network)), LIMIT - 1)
    })
  })
})
