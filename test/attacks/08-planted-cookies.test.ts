import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'
import {
  type Answer,
  assertProblem,
  goodPassword,
  snapshot,
  startTestPie,
  type TestPie,
} from '../harness/pie.ts'

interface Service {
  pie: TestPie
  name: string
  ada: string
  mallory: string
}

let plain: Service
let secure: Service
before(async () => {
  plain = await start('http://localhost:3000', 'pie_session_3000')
  secure = await start('https://pie.example.com', '__Host-pie_session')
})
after(async () => {
  await plain.pie.close()
  await secure.pie.close()
})

async function start(SERVICE_DOMAIN: string, name: string): Promise<Service> {
  const pie = await startTestPie({ settings: { SERVICE_DOMAIN } })
  const cookieOf = async (person: string): Promise<string> => {
    const body = { email: `${person}@example.com`, password: goodPassword, transport: 'cookie' }
    const [cookie = ''] = (await pie.request('/auth/register', { body })).headers.getSetCookie()
    assert.ok(cookie.startsWith(`${name}=`), cookie)
    return cookie.slice(name.length + 1).split(';')[0] ?? ''
  }
  return { pie, name, ada: await cookieOf('ada'), mallory: await cookieOf('mallory') }
}

const who = ({ pie }: Service, cookie: string): Promise<Answer> =>
  pie.request('/auth/session', { headers: { cookie } })

for (const kind of ['http', 'https'] as const) {
  const service = () => (kind === 'http' ? plain : secure)

  describe(`over ${kind}, two session cookies`, () => {
    test('are refused, in either order, even when they are the same, and nothing changes', async () => {
      const { pie, name, ada, mallory } = service()
      const earlier = await snapshot(pie.owner)
      const pairs = [
        [ada, mallory],
        [mallory, ada],
        [ada, ada],
        [ada, ''],
        ['', ada],
        ['nonsense', ada],
      ]
      for (const [first, second] of pairs) {
        for (const between of ['; ', ';', '; theme=dark; ', ' ;  ']) {
          const answer = await who(service(), `${name}=${first}${between}${name}=${second}`)
          assertProblem(answer, 401, 'unauthenticated')
          assert.deepEqual(answer.headers.getSetCookie(), [])
        }
      }
      assert.deepEqual(await snapshot(pie.owner), earlier)
    })

    test('in two headers are refused', async () => {
      const { pie, name, ada, mallory } = service()
      const status = await new Promise((resolve) => {
        const headers = { cookie: [`${name}=${ada}`, `${name}=${mallory}`] }
        httpRequest(`${pie.pie.address}/auth/session`, { headers } as object, (response) => {
          response.resume()
          resolve(response.statusCode)
        }).end()
      })
      assert.equal(status, 401)
    })

    test('sign nobody out, and a sign-in with them ends neither', async () => {
      const { pie, name, ada, mallory } = service()
      const cookie = `${name}=${ada}; ${name}=${mallory}`
      const logout = await pie.request('/auth/logout', { method: 'POST', headers: { cookie } })
      assertProblem(logout, 401, 'unauthenticated')
      const body = { email: 'ada@example.com', password: goodPassword, transport: 'cookie' }
      assert.equal((await pie.request('/auth/login', { body, headers: { cookie } })).status, 200)
      for (const value of [ada, mallory])
        assert.equal((await who(service(), `${name}=${value}`)).status, 200)
    })

    test('are two only when they have the same name', async () => {
      const { name, ada, mallory } = service()
      const others = [`${name}2=${mallory}`, `x${name}=${mallory}`, `x=${name}`, 'theme=dark']
      const answer = await who(service(), [...others, `${name}=${ada}`, ...others].join('; '))
      assert.equal(answer.body.user?.email, 'ada@example.com')
    })
  })
}

describe('a cookie that a sibling domain has planted under the name without prefix', () => {
  test('is ignored over https, where __Host- wins', async () => {
    const { ada, mallory } = secure
    for (const cookie of [
      `pie_session_3000=${mallory}; __Host-pie_session=${ada}`,
      `__Host-pie_session=${ada}; pie_session_3000=${mallory}`,
      `pie_session_3000=${mallory}; pie_session_3000=${mallory}; __Host-pie_session=${ada}`,
    ])
      assert.equal((await who(secure, cookie)).body.user?.email, 'ada@example.com', cookie)
  })

  test('signs nobody in by itself, nor under names that are nearly the prefixed one', async () => {
    const { mallory } = secure
    for (const name of [
      'pie_session',
      'pie_session_3000',
      '__Host-pie_session_3000',
      '__host-pie_session',
      '__HOST-pie_session',
      '__Secure-pie_session',
      '__Host-pie_sessio',
      'x__Host-pie_session',
    ])
      assertProblem(await who(secure, `${name}=${mallory}`), 401, 'unauthenticated')
  })
})
