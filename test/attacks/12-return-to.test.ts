import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type CookieHolder, isSignedIn, signInByCookie } from '../harness/by-cookie.ts'
import { type Answer, assertProblem, register, startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
before(async () => {
  pie = await startTestPie({ settings: { ALLOWED_ORIGINS: 'https://good.com' } })
  await register(pie, 'ada')
})
after(() => pie.close())

/** Signs out as a page's form does, with these fields beside the token, already encoded. */
const logout = async (
  { cookie, csrfToken }: CookieHolder,
  fields: string,
  headers: Record<string, string> = {},
): Promise<Answer> =>
  pie.request('/auth/logout', {
    raw: `csrf_token=${csrfToken}${fields}`,
    headers: { cookie, 'content-type': 'application/x-www-form-urlencoded', ...headers },
  })

/** Where a browser ends up that signs out with this return_to. */
async function placeAfter(returnTo: string): Promise<string> {
  const ada = await signInByCookie(pie, 'ada')
  const answer = await logout(ada, `&return_to=${encodeURIComponent(returnTo)}`)
  assert.equal(answer.status, 303, returnTo)
  assert.doesNotMatch(JSON.stringify(answer.body), /evil/)
  assert.equal(await isSignedIn(pie, ada.cookie), false)
  return answer.headers.get('location') ?? ''
}

const bad = [
  '//evil.example',
  '///evil.example',
  '////evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '\\/evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r\n/evil.example',
  '\t//evil.example',
  ' //evil.example',
  ' https://evil.example',
  '/account\r\nSet-Cookie: pie_session_3000=x',
  '/account%0d%0aSet-Cookie:%20pie_session_3000=x',
  '/%0d%0a/evil.example',
  '/%250d%250aLocation:%20https://evil.example',
  '/%09/evil.example',
  '/%5cevil.example',
  '/%255cevil.example',
  '/%25255cevil.example',
  '/%00',
  '/%zz',
  '/%',
  'javascript:alert(1)',
  'JavaScript:alert(1)',
  'java\nscript:alert(1)',
  'javascript://good.com/%0aalert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'blob:https://good.com/x',
  'file:///etc/passwd',
  'https:evil.example',
  'https:/evil.example',
  'http:///evil.example',
  'https://evil.example',
  'https://evil.example/https://good.com/',
  'https://good.com@evil.example',
  'https://good.com:443@evil.example/',
  'https://good.com%40evil.example',
  'https://good.com.evil.example/',
  'https://good.community',
  'https://good.com:8443/',
  'https://good.com\\@evil.example',
  'https://good.com?@evil.example',
  'https://good.com#@evil.example',
  'https://ada:secret@good.com/',
  'http://good.com/',
  'HTTPS://GOOD.COM/',
  'https://good.com./',
  'http://localhost:3000@evil.example/',
  'http://localhost:30000/',
  'https://localhost:3000/',
  '／／evil.example',
  '/／evil.example',
  '/account\u2028',
  '/\u200b/evil.example',
  '/\ufeff/evil.example',
  'https://gооd.com/',
  'account',
  './account',
  '../account',
  '?x=1',
  '#x',
  '',
]

const good = [
  '/',
  '/account',
  '/account?x=1#y',
  '/account/sessions?from=%2Faccount',
  '/sign-in?return_to=https%3A%2F%2Fevil.example',
  '/@ada',
  'https://good.com',
  'https://good.com/',
  'https://good.com/welcome?x=1#y',
  'http://localhost:3000/account',
  'http://127.0.0.1:3000/account',
]

describe('after signing out by a form', () => {
  test('a browser is sent nowhere that the form should not choose', async () => {
    for (const returnTo of bad) assert.equal(await placeAfter(returnTo), '/', returnTo)
  })

  test('and to where it may: a path of Pie’s, or an allowed origin', async () => {
    for (const returnTo of good) assert.equal(await placeAfter(returnTo), returnTo)
  })

  test('a browser is sent to the start where the form says nothing', async () => {
    const answer = await logout(await signInByCookie(pie, 'ada'), '')
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/'])
  })

  test('a return_to that is there twice, or beside what is not known, is refused', async () => {
    const ada = await signInByCookie(pie, 'ada')
    for (const fields of ['&return_to=/&return_to=//evil.example', '&return_to=/&next=/']) {
      const answer = await logout(ada, fields)
      assertProblem(answer, 400, 'invalid_request')
      assert.equal(answer.headers.get('location'), null)
      assert.ok(await isSignedIn(pie, ada.cookie))
    }
  })

  test('a return_to in the address or in a header is not looked at', async () => {
    const ada = await signInByCookie(pie, 'ada')
    const answer = await pie.request('/auth/logout?return_to=https://good.com/', {
      raw: `csrf_token=${ada.csrfToken}`,
      headers: {
        cookie: ada.cookie,
        'content-type': 'application/x-www-form-urlencoded',
        referer: 'http://localhost:3000/account',
      },
    })
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/'])
  })

  test('nobody is sent anywhere who was not signed out', async () => {
    const ada = await signInByCookie(pie, 'ada')
    const answer = await logout({ ...ada, csrfToken: 'wrong' }, '&return_to=/account')
    assertProblem(answer, 403, 'csrf_token_invalid')
    assert.equal(answer.headers.get('location'), null)
    assert.ok(await isSignedIn(pie, ada.cookie))
  })
})
