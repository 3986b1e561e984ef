import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  type Answer,
  assertProblem,
  goodPassword,
  register,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

/** What a password costs to judge at most, where letters might stand for others. */
const costly = 'p455w0rd1337h4x0rm0nk3y5l0v3|!|+7+$$@@44((<<{{[[66993311!!||00'.repeat(16)

let pie: TestPie
before(async () => {
  // The tests are the proxy.
  pie = await startTestPie({ settings: { TRUSTED_PROXIES: '127.0.0.1' } })
  await register(pie, 'ada')
})
after(() => pie.close())

const registerFrom = (address: string, password: string, email = 'ada@example.com') =>
  pie.request('/auth/register', {
    body: { email, password },
    headers: { 'x-forwarded-for': address },
  })

describe('registering', () => {
  test('takes about as long for every password: none is made to keep the threads busy', async () => {
    // The shortest time of each: other work of this machine's makes it longer, never shorter.
    const shortest = { usual: Number.POSITIVE_INFINITY, costly: Number.POSITIVE_INFINITY }
    const ratio = () => shortest.costly / shortest.usual
    for (let round = 0; round < 5 || (round < 15 && ratio() > 5); round += 1) {
      for (const [kind, password] of [
        ['usual', goodPassword],
        ['costly', costly],
      ] as const) {
        const start = performance.now()
        assertProblem(await registerFrom(`203.0.113.${100 + round}`, password), 409, 'email_taken')
        shortest[kind] = Math.min(shortest[kind], performance.now() - start)
      }
    }
    assert.ok(ratio() < 5, `${ratio().toFixed(1)} times as long`)
  })

  test('from one network is held back before it keeps everybody else from signing in', async () => {
    const storm: Promise<Answer>[] = Array.from({ length: 120 }, () =>
      registerFrom('203.0.113.2', goodPassword),
    )
    const body = { email: 'ada@example.com', password: goodPassword }
    const headers = { 'x-forwarded-for': '198.51.100.7' }
    const login = await pie.request('/auth/login', { body, headers })
    const refused = (await Promise.all(storm)).filter(({ status }) => status !== 409)
    assert.equal(login.status, 200)
    assert.ok(refused.length > 0, 'nobody was held back')
    for (const answer of refused) {
      assertProblem(answer, 429, 'too_many_attempts')
      assert.ok(Number(answer.headers.get('retry-after')) >= 1)
    }
    const other = await registerFrom('203.0.113.3', goodPassword, 'grace@example.com')
    assert.equal(other.status, 201)
  })
})
