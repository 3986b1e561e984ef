import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  type Answer,
  assertProblem,
  goodPassword,
  register,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

/** How many guesses one network has at one account before it has to wait. */
const BURST = 10

let pie: TestPie
before(async () => {
  pie = await startTestPie()
  await register(pie, 'ada')
})
beforeEach(() => pie.owner.query('delete from pie_private.throttles'))
after(() => pie.close())

const signIn = (
  at: Pick<TestPie, 'request'>,
  password: string,
  headers: Record<string, string> = {},
  email = 'ada@example.com',
): Promise<Answer> => at.request('/auth/login', { body: { email, password }, headers })

const guesses = (
  count: number,
  guess: (index: number) => Promise<Answer> = (index) => signIn(pie, `guess number ${index}`),
): Promise<Answer[]> => Promise.all(Array.from({ length: count }, (_, index) => guess(index)))

const withStatus = (answers: Answer[], status: number): Answer[] =>
  answers.filter((answer) => answer.status === status)

function assertThrottled(answer: Answer): void {
  assertProblem(answer, 429, 'too_many_attempts')
  const wait = Number(answer.headers.get('retry-after'))
  assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 60, `Retry-After: ${wait}`)
}

const countFailures = async (): Promise<number> => {
  const { rows } = await pie.owner.query(
    `select count(*)::integer as count from pie_private.audit_log where event = 'sign_in.failed'`,
  )
  return rows[0].count
}

/** The time that all buckets need to drain, gone by in Postgres. */
const letTimePass = (seconds: number) =>
  pie.owner.query(
    'update pie_private.throttles set empty_at = empty_at - make_interval(secs => $1)',
    [seconds],
  )

/** Does something in no time: what it takes does not count in Postgres. */
async function whileTimeStandsStill<T>(work: () => Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await work()
  await letTimePass((start - performance.now()) / 1000)
  return result
}

describe('guessing a password', () => {
  test('200 times at once is 200 guesses: ten are looked at, and the rest told to wait', async () => {
    const failuresBefore = await countFailures()
    const answers = await guesses(200)
    assert.equal(withStatus(answers, 401).length, BURST)
    for (const answer of withStatus(answers, 401)) assertProblem(answer, 401, 'invalid_credentials')
    const refused = withStatus(answers, 429)
    assert.equal(refused.length, 200 - BURST)
    for (const answer of refused) assertThrottled(answer)
    assert.equal(await countFailures(), failuresBefore + BURST)
  })

  test('through two nodes at once is no more', async () => {
    const other = await startTestPie({ databaseUrl: pie.databaseUrl })
    const answers = await guesses(100, (index) => signIn(index % 2 ? pie : other, `guess ${index}`))
    await other.close()
    assert.equal(withStatus(answers, 401).length, BURST)
    assert.equal(withStatus(answers, 429).length, 100 - BURST)
  })

  test('is refused even when it is right, while it is throttled, and looked at after the wait', async () => {
    await guesses(BURST)
    const except = ['pie_private.throttles']
    const earlier = await snapshot(pie.owner, except)
    const answer = await signIn(pie, goodPassword)
    assertThrottled(answer)
    assert.deepEqual(await snapshot(pie.owner, except), earlier)

    await letTimePass(Number(answer.headers.get('retry-after')))
    assert.equal((await signIn(pie, goodPassword)).status, 200)
  })

  test('gets one more look after a minute, not ten', async () => {
    await guesses(BURST)
    await letTimePass(60)
    const answers = await guesses(BURST)
    assert.equal(withStatus(answers, 401).length, 1)
    assert.equal(withStatus(answers, 429).length, BURST - 1)
  })

  test('under other spellings of the address is guessing at the same account', async () => {
    const spellings = [
      'ada@example.com',
      'ADA@example.com',
      ' Ada@EXAMPLE.com ',
      'ada@ｅxample.com',
    ]
    const answers = await guesses(40, (index) =>
      signIn(pie, `guess ${index}`, {}, spellings[index % spellings.length]),
    )
    assert.equal(withStatus(answers, 401).length, BURST)
    assert.equal(withStatus(answers, 429).length, 40 - BURST)
  })

  test('is not made easier by an X-Forwarded-For from a peer that nobody trusts', async () => {
    const answers = await guesses(60, (index) =>
      signIn(pie, `guess ${index}`, {
        'x-forwarded-for': `203.0.113.${index}`,
        forwarded: `for=203.0.113.${index}`,
        'x-real-ip': `203.0.113.${index}`,
      }),
    )
    assert.equal(withStatus(answers, 401).length, BURST)
    assert.equal(withStatus(answers, 429).length, 60 - BURST)
  })

  test('of many accounts from one network ends after a hundred', async () => {
    const guessAt = (index: number) => signIn(pie, 'guess', {}, `user${index}@example.com`)
    const first = await whileTimeStandsStill(() => guesses(50, guessAt))
    const second = await whileTimeStandsStill(() => guesses(50, (index) => guessAt(50 + index)))
    assert.equal(withStatus([...first, ...second], 401).length, 100)
    assertThrottled(await guessAt(100))
    assertThrottled(await signIn(pie, goodPassword))
  })
})

describe('signing in with the right password', () => {
  test('thirty times in a row is no guessing', async () => {
    for (let count = 0; count < 30; count += 1) {
      assert.equal((await signIn(pie, goodPassword)).status, 200)
    }
  })

  test('clears the wrong ones of the same network', async () => {
    await guesses(BURST - 1)
    assert.equal((await signIn(pie, goodPassword)).status, 200)
    assert.equal(withStatus(await guesses(BURST), 401).length, BURST)
  })
})
