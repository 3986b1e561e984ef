import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { type Answer, assertProblem, snapshot, startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
before(async () => {
  pie = await startTestPie()
})
beforeEach(() => pie.owner.query('delete from pie_private.throttles'))
after(() => pie.close())

let people = 0
/** Somebody new, with this password. */
async function join(password: string): Promise<string> {
  people += 1
  const email = `person${people}@example.com`
  const answer = await pie.request('/auth/register', { body: { email, password } })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return email
}

const signIn = (email: string, password: string): Promise<Answer> =>
  pie.request('/auth/login', { body: { email, password } })

async function assertOnly(password: string, others: string[]): Promise<void> {
  const email = await join(password)
  for (const other of others) {
    assertProblem(await signIn(email, other), 401, 'invalid_credentials')
  }
  assert.equal((await signIn(email, password)).status, 200)
}

async function assertSame(password: string, others: string[]): Promise<void> {
  const email = await join(password)
  for (const other of others) assert.equal((await signIn(email, other)).status, 200, other)
}

describe('a password', () => {
  test('counts to its end, past 72 bytes', async () => {
    const beginning = 'seventy-two bytes are where bcrypt stops reading, and Pie goes on reading '
    assert.ok(beginning.length > 72)
    await assertOnly(`${beginning}one`, [`${beginning}two`, beginning, beginning.slice(0, 72)])
  })

  test('counts to its end, past a NUL', async () => {
    const beginning = 'before the nothing\0'
    await assertOnly(`${beginning}after`, [`${beginning}later`, beginning, 'before the nothing'])
  })

  test('has case and spaces that count', async () => {
    await assertOnly('  Purple monkey 77 ', ['Purple monkey 77', '  purple monkey 77 '])
  })

  test('is the same from every keyboard: composed or not, wide or not (NFKC)', async () => {
    await assertSame('pâté für Ångström', [
      'pâté für Ångström'.normalize('NFD'),
      'pâté für Ångström'.normalize('NFC'),
    ])
    await assertSame('Ｐｕｒｐｌｅ ｍｏｎｋｅｙ ７７', ['Purple monkey 77'])
    await assertSame('eﬃcient oﬃce hours', ['efficient office hours'])
  })

  test('may be emoji, in any script, and 1024 characters long', async () => {
    await assertOnly('🦊🎻🌋🧭🪐🥨🦉🧩🫖🛶', ['🦊🎻🌋🧭🪐🥨🦉🧩🫖🛸'])
    await assertSame('правильная лошадь батарея', ['правильная лошадь батарея'])
    const longest = 'long winded '.repeat(86).slice(0, 1024)
    assert.equal(longest.length, 1024)
    await assertOnly(longest, [longest.slice(0, -1), `${longest.slice(0, -1)}!`])
    await assertSame('🦊🎻🌋🧭'.repeat(256), ['🦊🎻🌋🧭'.repeat(256)])
  })

  test('of spaces between words is as good with the spaces that paste as with those that are typed', async () => {
    await assertSame('three\u00a0quiet\u00a0rivers run', ['three quiet rivers run'])
  })
})

describe('a password that is refused', () => {
  async function assertRefused(body: object, status: number, code: string): Promise<void> {
    // An attempt to register may be counted.
    const except = ['pie_private.throttles']
    const earlier = await snapshot(pie.owner, except)
    const request = { email: 'ada.lovelace@example.com', ...body }
    assertProblem(await pie.request('/auth/register', { body: request }), status, code)
    assert.deepEqual(await snapshot(pie.owner, except), earlier)
  }

  test('is longer than 1024 characters, when it is set and when it is tried', async () => {
    const tooLong = 'long winded '.repeat(86).slice(0, 1025)
    assert.equal(tooLong.length, 1025)
    await assertRefused({ password: tooLong }, 400, 'invalid_request')
    await assertRefused({ password: '\ufdfa'.repeat(57) }, 400, 'invalid_request') // 18 characters each in NFKC
    assertProblem(await signIn('ada@example.com', tooLong), 400, 'invalid_request')
  })

  test('is larger than a body may be', async () => {
    await assertRefused({ password: 'x'.repeat(1_000_000) }, 413, 'body_too_large')
    assertProblem(await signIn('ada@example.com', 'x'.repeat(1_000_000)), 413, 'body_too_large')
  })

  test('is empty', async () => {
    await assertRefused({ password: '' }, 400, 'invalid_request')
    assertProblem(await signIn('ada@example.com', ''), 400, 'invalid_request')
  })

  test('is no text: half of a surrogate pair would be read as any other half', async () => {
    for (const half of ['\ud800', '\udfff']) {
      await assertRefused({ password: `purple monkey ${half} 77` }, 400, 'invalid_request')
    }
  })

  test('is short, counted in characters after normalisation', async () => {
    const short = ['Xk9#qL2!v', '🦊🎻🌋🧭🪐🥨🦉🧩🫖', 'дождьлужа', 'pâté fünf'.normalize('NFD')]
    for (const password of short) {
      assert.ok([...password.normalize('NFKC')].length === 9)
      assert.ok(Buffer.byteLength(password) >= 9)
      await assertRefused({ password }, 400, 'weak_password')
    }
    await join('Xk9#qL2!vT')
    await join('vﬃrkﬃzqt')
  })

  test('is nothing but spaces, or one thing over and over', async () => {
    for (const password of [' '.repeat(20), '\u3000'.repeat(20), 'aaaaaaaaaaaa', 'abcabcabcabc']) {
      await assertRefused({ password }, 400, 'weak_password')
    }
  })

  test('is common', async () => {
    const common = [
      'password123',
      '1234567890',
      'qwertyuiop',
      'iloveyou12',
      'P@ssw0rd123',
      'letmein1234',
    ]
    for (const password of common) await assertRefused({ password }, 400, 'weak_password')
  })

  test('is made of the own address, the own name or the name of the service', async () => {
    const name = 'Augusta Byronova'
    const own = [
      'ada.lovelace@example.com',
      'adalovelace',
      'lovelace123',
      'Augusta Byronova',
      'byronova2024',
    ]
    for (const password of own) await assertRefused({ password, name }, 400, 'weak_password')

    const settings = { SERVICE_NAME: 'Quxbarium' }
    const named = await startTestPie({ databaseUrl: pie.databaseUrl, settings })
    const body = { email: 'ada@example.com', password: 'quxbarium1' }
    const answer = await named.request('/auth/register', { body })
    await named.close()
    assertProblem(answer, 400, 'weak_password')
    await join('quxbarium1')
  })

  test('is said to be weak without being repeated', async () => {
    const body = { email: 'ada@example.com', password: 'password123' }
    const answer = await pie.request('/auth/register', { body })
    assert.deepEqual(
      answer.body.errors.map(({ path }: { path: string }) => path),
      ['/password'],
    )
    assert.doesNotMatch(JSON.stringify(answer.body), /password123/)
  })
})
