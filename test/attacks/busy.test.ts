import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { after, before, test } from 'node:test'
import {
  assertProblem,
  goodPassword,
  register,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

let pie: TestPie
let token: string
before(async () => {
  // The tests are the proxy, so that every guess comes from a network of its own.
  pie = await startTestPie({ settings: { TRUSTED_PROXIES: '127.0.0.1' } })
  token = (await register(pie, 'ada')).access_token
})
after(() => pie.close())

const median = (numbers: number[]): number =>
  numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN

test('a storm of sign-ins is turned away when it is too much, and stops nobody else', async () => {
  // A queue of 64 for each thread, of which there are as many as cores.
  const count = availableParallelism() * 65 + 100
  let isOver = false
  /** How many passwords have been looked at. */
  let judged = 0
  const storm = Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const answer = await pie.request('/auth/login', {
        body: { email: `storm${index}@example.com`, password: goodPassword },
        headers: { 'x-forwarded-for': `2001:db8:0:${index.toString(16)}::1` },
      })
      if (answer.status === 401) judged += 1
      return answer
    }),
  ).finally(() => {
    isOver = true
  })
  const waits: number[] = []
  for (let asked = 0; asked < 30 && !isOver; asked += 1) {
    const earlier = judged
    assert.equal((await pie.request('/users/me', { token })).status, 200)
    waits.push(judged - earlier)
  }
  const answers = await storm
  const refused = answers.filter(({ status }) => status !== 401)
  assert.ok(refused.length >= 10, `${refused.length} were refused`)
  assert.ok(refused.length < count, 'all were refused')
  for (const answer of refused) {
    assertProblem(answer, 503, 'busy')
    assert.ok(Number(answer.headers.get('retry-after')) >= 1)
  }
  const { rows } = await pie.owner.query(
    `select count(*)::integer as count from pie_private.audit_log where event = 'sign_in.failed'`,
  )
  assert.equal(rows[0].count, count - refused.length)

  // While passwords are hashed, those who need none wait for none.
  assert.ok(waits.length >= 10, `${waits.length} others were answered meanwhile`)
  assert.ok(median(waits) < 32, `half of them waited for ${median(waits)} passwords or more`)

  const body = { email: 'ada@example.com', password: goodPassword }
  assert.equal((await pie.request('/auth/login', { body })).status, 200)
})
