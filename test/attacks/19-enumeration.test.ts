import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  type Answer,
  goodPassword,
  register,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

/** Attempts that fail for different reasons, none of which may be told apart. */
const attempts = {
  'a wrong password': { email: 'ada@example.com', password: 'not the password of ada' },
  'an address of nobody': { email: 'nobody@example.com', password: goodPassword },
  'a user without a password': { email: 'grace@example.com', password: goodPassword },
  'a disabled user': { email: 'eve@example.com', password: goodPassword },
  'a disabled user, wrongly': { email: 'eve@example.com', password: 'not the password of eve' },
}

let pie: TestPie
before(async () => {
  pie = await startTestPie()
  await register(pie, 'ada')
  const eve = await register(pie, 'eve')
  await pie.owner.query('update pie_schema.users set disabled_at = now() where id = $1', [
    eve.user.id,
  ])
  await pie.owner.query(
    `select pie_private.register_user(gen_random_uuid(), 'grace@example.com', null, null, null)`,
  )
})
beforeEach(() => pie.owner.query('delete from pie_private.throttles'))
after(() => pie.close())

const signIn = (body: object): Promise<Answer> => pie.request('/auth/login', { body })

/** What tells when an answer came, and how many came before it, and what it is called: the same whatever is asked. */
const passing = ['date', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'x-request-id']

/** All that a stranger sees of an answer, but for that. */
const visible = ({ status, headers, body }: Answer) => ({
  status,
  body,
  headers: [...headers].filter(([name]) => !passing.includes(name)),
})

describe('a sign-in that fails', () => {
  test('looks the same for every reason', async () => {
    const except = ['pie_private.throttles', 'pie_private.audit_log']
    const earlier = await snapshot(pie.owner, except)
    const expected = visible(await signIn(attempts['a wrong password']))
    assert.equal(expected.status, 401)
    assert.equal(expected.body.code, 'invalid_credentials')
    for (const [reason, attempt] of Object.entries(attempts)) {
      assert.deepEqual(visible(await signIn(attempt)), expected, reason)
    }
    assert.deepEqual(await snapshot(pie.owner, except), earlier)
  })

  test('takes as long for every reason', async () => {
    // The shortest time of each is compared: that is what is left when other work of this machine's is
    // averaged out, as an attacker would. A few milliseconds without argon2id stay a few milliseconds.
    const shortest = Object.fromEntries(Object.keys(attempts).map((reason) => [reason, Infinity]))
    const ratios = () => {
      const usual = shortest['a wrong password'] ?? 0
      return Object.entries(shortest).map(([reason, ms]) => ({ reason, ratio: ms / usual }))
    }
    const isAlike = () => ratios().every(({ ratio }) => ratio > 0.5 && ratio < 2)
    for (let round = 0; round < 10 || (round < 40 && !isAlike()); round += 1) {
      await pie.owner.query('delete from pie_private.throttles')
      for (const [reason, attempt] of Object.entries(attempts)) {
        const start = performance.now()
        await signIn(attempt)
        shortest[reason] = Math.min(shortest[reason] ?? Infinity, performance.now() - start)
      }
    }
    assert.ok(isAlike(), JSON.stringify(ratios()))
  })

  test('is throttled the same for every reason', async () => {
    for (const [reason, attempt] of Object.entries(attempts)) {
      await pie.owner.query('delete from pie_private.throttles')
      const answers: Answer[] = []
      for (let count = 0; count < 11; count += 1) answers.push(await signIn(attempt))
      assert.deepEqual(
        answers.map(({ status }) => status),
        [...Array(10).fill(401), 429],
        reason,
      )
    }
  })

  test('leaves one line for the operator, whatever the reason', async () => {
    for (const [reason, attempt] of Object.entries(attempts)) {
      const count = `select count(*)::integer as lines from pie_private.audit_log where event = 'sign_in.failed'`
      const { rows: earlier } = await pie.owner.query(count)
      await signIn(attempt)
      const { rows: later } = await pie.owner.query(count)
      assert.equal(later[0].lines, earlier[0].lines + 1, reason)
    }
  })
})
