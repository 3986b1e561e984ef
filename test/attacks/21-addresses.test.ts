import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  assertProblem,
  goodPassword,
  register,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

let pie: TestPie
before(async () => {
  pie = await startTestPie()
  await register(pie, 'ada')
})
after(() => pie.close())

const registerAs = (email: string, more: object = {}) =>
  pie.request('/auth/register', { body: { email, password: goodPassword, ...more } })

const refused = {
  'a comma': 'ada@example.com,eve@evil.example',
  'a semicolon': 'ada@example.com;eve@evil.example',
  quotes: '"ada"@example.com',
  'quotes around another @': '"ada@example.com"@evil.example',
  'a name before it': 'Ada <ada@example.com>',
  'angle brackets': '<ada@example.com>',
  'a comment': 'ada(comment)@example.com',
  'two @': 'ada@example.com@evil.example',
  'no @': 'ada.example.com',
  'nothing before the @': '@example.com',
  'nothing after the @': 'ada@',
  'a small @': 'ada\ufe6bexample.com',
  'a full-width @': 'ada＠example.com',
  'a full-width @ and a real one': 'ada＠example.com@evil.example',
  'a full-width @ in the domain': 'ada@evil.example＠example.com',
  'a line break inside': 'ada@example.com\r\nBcc: eve@evil.example',
  'a line break before the @': 'ada\r\n@example.com',
  NUL: 'ada@example.com\0',
  'NUL inside': 'ada\0@example.com',
  'a tab inside': 'ada\t@example.com',
  'a space inside': 'ada lovelace@example.com',
  'a space in the domain': 'ada@exam ple.com',
  HTML: '<script>alert(1)</script>@example.com',
  'HTML in the domain': 'ada@<b>example</b>.com',
  'a domain of one label': 'ada@localhost',
  'an address literal': 'ada@[127.0.0.1]',
  'a numeric domain': 'ada@127.0.0.1',
  'a numeric domain in disguise': 'ada@0x7f.1',
  'a percent-encoded domain': 'ada@ex%61mple.com',
  'a domain with a port': 'ada@example.com:25',
  'a domain with a path': 'ada@example.com/x',
  'a domain with a backslash': 'ada@example.com\\x',
  'a domain with a query': 'ada@example.com?x',
  'a domain with a fragment': 'ada@example.com#x',
  'a line break in the domain': 'ada@exam\r\nple.com',
  'a tab in the domain': 'ada@exam\tple.com',
  'two dots in the domain': 'ada@example..com',
  'a dot at the end': 'ada@example.com.',
  'a hyphen at an end of a label': 'ada@-example.com',
  'a label of 64 characters': `ada@${'x'.repeat(64)}.com`,
  'a letter that only lower case makes ASCII': '\u212aate@example.com',
  'a letter from another alphabet': 'аda@example.com',
  'a dotless letter': 'adı@example.com',
  'an invisible letter': 'a\u200bda@example.com',
  'a soft hyphen': 'a\u00adda@example.com',
  'half of a surrogate pair': 'ada\ud800@example.com',
  '65 characters before the @': `${'a'.repeat(65)}@example.com`,
  '255 characters': `ada@${'x.'.repeat(124)}com`,
  '320 characters': `${'a'.repeat(64)}@${'x'.repeat(60)}${`.${'x'.repeat(47)}`.repeat(4)}.de`,
}

describe('an address', () => {
  test('that is no plain address is refused, and makes nobody', async () => {
    const earlier = await snapshot(pie.owner)
    const accepted: string[] = []
    for (const [fault, email] of Object.entries(refused)) {
      const answer = await registerAs(email)
      if (answer.status === 400) assertProblem(answer, 400, 'invalid_request')
      else accepted.push(`${fault}: ${answer.status}`)
    }
    assert.deepEqual(accepted, [])
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('that is refused at registration is refused at sign-in, and counted nowhere', async () => {
    const earlier = await snapshot(pie.owner)
    for (const fault of ['a comma', 'two @', 'NUL', 'a line break inside', 'no @'] as const) {
      const body = { email: refused[fault], password: goodPassword }
      assertProblem(await pie.request('/auth/login', { body }), 400, 'invalid_request')
    }
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('belongs to one account, in every spelling of it', async () => {
    // An attempt to register may be counted.
    const except = ['pie_private.throttles']
    const earlier = await snapshot(pie.owner, except)
    const spellings = [
      'ADA@example.com',
      'ada@EXAMPLE.COM',
      ' Ada@Example.Com ',
      'ada@ｅxample．com',
      'ada@example。com',
    ]
    for (const email of spellings) assertProblem(await registerAs(email), 409, 'email_taken')
    assert.deepEqual(await snapshot(pie.owner, except), earlier)
    const body = { email: 'aDa@eXample.com', password: goodPassword }
    assert.equal((await pie.request('/auth/login', { body })).status, 200)
  })

  test('that ten people register at once is given to one', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        registerAs(index % 2 ? 'Grace@example.com' : 'grace@example.com'),
      ),
    )
    assert.equal(answers.filter(({ status }) => status === 201).length, 1)
    const losers = answers.filter(({ status }) => status !== 201)
    for (const answer of losers) assertProblem(answer, 409, 'email_taken')
    const { rows } = await pie.owner.query(
      `select (select count(*) from pie_schema.user_emails where email = 'grace@example.com')::integer as addresses,
              (select count(*) from pie_schema.users where not exists
                (select from pie_schema.user_emails where user_id = users.id))::integer as without_address`,
    )
    assert.deepEqual(rows[0], { addresses: 1, without_address: 0 })
  })

  test('with an international domain is stored in ASCII, and found in either form', async () => {
    const registered = await registerAs('ada@bücher.example')
    assert.equal(registered.body.user.email, 'ada@xn--bcher-kva.example')
    assertProblem(await registerAs('ada@XN--BCHER-KVA.example'), 409, 'email_taken')
    const body = { email: 'ada@BÜCHER.example'.normalize('NFD'), password: goodPassword }
    assert.equal((await pie.request('/auth/login', { body })).status, 200)
  })

  test('may use every character that is plain, and 254 of them', async () => {
    const local = "o'hara+tag/x=1!#$%&*?^_`{|}~-"
    assert.equal((await registerAs(`${local}@example.com`)).body.user.email, `${local}@example.com`)
    const longest = `${'a'.repeat(64)}@${`${'x'.repeat(36)}.`.repeat(5)}com`.padEnd(254, 'm')
    assert.equal(longest.length, 254)
    assert.equal((await registerAs(longest)).status, 201)
  })
})

describe('a name', () => {
  test('with HTML in it is given back as it is, as JSON', async () => {
    const name = `<img src=x onerror="alert(1)"> & "O'Hara" \u003c/script>`
    const answer = await registerAs('html@example.com', { name })
    assert.equal(answer.body.user.name, name)
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
    const me = await pie.request('/users/me', { token: answer.body.access_token })
    assert.equal(me.body.name, name)
    assert.match(me.headers.get('content-type') ?? '', /^application\/json/)
  })

  test('that is not one line of 1 to 200 characters is refused', async () => {
    const { access_token: token } = await register(pie, 'eve')
    const earlier = await snapshot(pie.owner)
    const names = [
      '',
      ' ',
      '   ',
      'a\nb',
      'a\r\nb',
      'a\0b',
      'a\tb',
      'a\u0085b',
      'a\u2028b',
      'a\u2029b',
      'a\ud800b',
      'x'.repeat(201),
    ]
    const accepted: string[] = []
    for (const name of names) {
      const answer = await pie.request('/users/me', { method: 'PATCH', token, body: { name } })
      if (answer.status === 400) assertProblem(answer, 400, 'invalid_request')
      else accepted.push(`${answer.status}: ${JSON.stringify(name)}`)
    }
    assert.deepEqual(accepted, [])
    assert.deepEqual(await snapshot(pie.owner), earlier)
    const name = '🦊'.repeat(200)
    const longest = await pie.request('/users/me', { method: 'PATCH', token, body: { name } })
    assert.equal(longest.body.name, name)
  })
})
