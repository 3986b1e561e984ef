import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  type Answer,
  assertProblem,
  goodPassword,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

/** What one network, and what all networks together, may guess at one account in a row. */
const BURST_OF_NETWORK = 10
const BURST_OF_ACCOUNT = 50

const adasNetwork = '198.51.100.7'

let pie: TestPie
before(async () => {
  // The tests are the proxy.
  pie = await startTestPie({ settings: { TRUSTED_PROXIES: '127.0.0.1' } })
  const registered = await pie.request('/auth/register', {
    body: { email: 'ada@example.com', password: goodPassword },
    headers: { 'x-forwarded-for': adasNetwork },
  })
  assert.equal(registered.status, 201)
})
beforeEach(() => pie.owner.query('delete from pie_private.throttles'))
after(() => pie.close())

const signInFrom = (address: string, password: string, email = 'ada@example.com') =>
  pie.request('/auth/login', {
    body: { email, password },
    headers: { 'x-forwarded-for': address },
  })

const guessesFrom = (count: number, addressOf: (index: number) => string): Promise<Answer[]> =>
  Promise.all(
    Array.from({ length: count }, (_, index) => signInFrom(addressOf(index), `guess ${index}`)),
  )

const statuses = (answers: Answer[]) => ({
  looked: answers.filter(({ status }) => status === 401).length,
  throttled: answers.filter(({ status }) => status === 429).length,
})

/** Does something in no time: what it takes does not count in Postgres. */
async function whileTimeStandsStill(work: () => Promise<unknown>): Promise<void> {
  const start = performance.now()
  await work()
  await pie.owner.query(
    'update pie_private.throttles set empty_at = empty_at + make_interval(secs => $1)',
    [(performance.now() - start) / 1000],
  )
}

describe('behind a trusted proxy', () => {
  test('all addresses of an IPv6 /64 are one network', async () => {
    const answers = await guessesFrom(60, (index) => `2001:db8:1:2:${index.toString(16)}::1`)
    assert.deepEqual(statuses(answers), { looked: BURST_OF_NETWORK, throttled: 50 })
    assert.equal((await signInFrom('2001:db8:1:3::1', 'guess')).status, 401)
  })

  test('an IPv4 address is the same network in each of its spellings', async () => {
    const spellings = ['203.0.113.9', '::ffff:203.0.113.9', '::FFFF:203.0.113.9']
    const answers = await guessesFrom(30, (index) => spellings[index % spellings.length] ?? '')
    assert.deepEqual(statuses(answers), { looked: BURST_OF_NETWORK, throttled: 20 })
  })

  test('only the address that the proxy saw counts, not those its client claims', async () => {
    const answers = await guessesFrom(
      30,
      (index) => `10.0.0.${index}, 192.0.2.${index}, 203.0.113.9`,
    )
    assert.deepEqual(statuses(answers), { looked: BURST_OF_NETWORK, throttled: 20 })
  })

  test('an address that is none counts as the proxy’s own', async () => {
    const nonsense = [
      "' or true; --",
      'localhost',
      '999.1.1.1',
      'unknown',
      '<script>',
      'a'.repeat(5000),
    ]
    const answers = await guessesFrom(30, (index) => nonsense[index % nonsense.length] ?? '')
    assert.deepEqual(statuses(answers), { looked: BURST_OF_NETWORK, throttled: 20 })
  })

  test('one account is guessed at fifty times from everywhere, and no more', async () => {
    const answers = await guessesFrom(70, (index) => `203.0.113.${index}`)
    assert.deepEqual(statuses(answers), { looked: BURST_OF_ACCOUNT, throttled: 20 })
  })
})

describe('strangers who guess', () => {
  test('keep the owner out of no network that the owner has used, and of others until it is over', async () => {
    await whileTimeStandsStill(() => guessesFrom(BURST_OF_ACCOUNT, (index) => `203.0.113.${index}`))
    const except = ['pie_private.throttles']
    const earlier = await snapshot(pie.owner, except)
    assertProblem(await signInFrom('192.0.2.1', goodPassword), 429, 'too_many_attempts')
    assert.deepEqual(await snapshot(pie.owner, except), earlier)

    assert.equal((await signInFrom(adasNetwork, goodPassword)).status, 200)
  })

  test('win no guesses by the owner signing in meanwhile', async () => {
    await whileTimeStandsStill(async () => {
      await guessesFrom(BURST_OF_ACCOUNT, (index) => `203.0.113.${index}`)
      for (let count = 0; count < 5; count += 1) {
        assert.equal((await signInFrom(adasNetwork, goodPassword)).status, 200)
      }
    })
    const more = await guessesFrom(5, (index) => `192.0.2.${index}`)
    assert.deepEqual(statuses(more), { looked: 0, throttled: 5 })
  })

  test('find out nothing by being throttled: an address without an account is throttled alike', async () => {
    const guess = (index: number) => signInFrom(`203.0.113.${index}`, 'guess', 'nobody@example.com')
    const answers = await Promise.all(Array.from({ length: 70 }, (_, index) => guess(index)))
    assert.deepEqual(statuses(answers), { looked: BURST_OF_ACCOUNT, throttled: 20 })
  })
})
