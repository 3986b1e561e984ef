import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { assertProblem, register, snapshot, startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
let token: string
before(async () => {
  pie = await startTestPie()
  token = (await register(pie, 'ada')).access_token
})
after(() => pie.close())

/** Headers as they are, also two of one name, which fetch would join. */
function statusWith(headers: string[]): Promise<number | undefined> {
  const address = new URL('/users/me', pie.pie.address)
  return new Promise((resolve, reject) => {
    httpRequest(address, { headers: ['Host', address.host, ...headers] }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}

describe('an access token that is not where it belongs', () => {
  test('lets nobody in', async () => {
    const earlier = await snapshot(pie.owner)
    const basic = Buffer.from(`ada@example.com:${token}`).toString('base64')
    const requests = {
      'nowhere at all': {},
      'of another scheme': { headers: { authorization: `Token ${token}` } },
      'without a scheme': { headers: { authorization: token } },
      'of basic authentication': { headers: { authorization: `Basic ${basic}` } },
      'after the scheme without a space': { headers: { authorization: `Bearer${token}` } },
      'with a second token': { headers: { authorization: `Bearer ${token} ${token}` } },
      'in a list': { headers: { authorization: `Bearer ${token}, Bearer ${token}` } },
      'in quotes': { headers: { authorization: `Bearer "${token}"` } },
      'as a cookie': { headers: { cookie: `access_token=${token}; session=${token}` } },
      'in a header of its own': {
        headers: { 'x-access-token': token, 'proxy-authorization': token },
      },
    }
    for (const [name, options] of Object.entries(requests)) {
      const answer = await pie.request('/users/me', options)
      assert.equal(answer.status, 401, name)
      assertProblem(answer, 401, 'unauthenticated')
    }
    const path = `/users/me?access_token=${token}&token=${token}&authorization=Bearer%20${token}`
    assertProblem(await pie.request(path), 401, 'unauthenticated')
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })

  test('in the query string is not logged either', async () => {
    await pie.request(`/users/me?access_token=${token}`)
    await pie.request(`/nowhere?access_token=${token}`)
    assert.ok(
      pie.log.some((line) => /"status":404.*"msg":"request"/.test(line)),
      'the request was logged',
    )
    assert.equal(
      pie.log.find((line) => line.includes(token)),
      undefined,
    )
  })

  test('is refused among two Authorization headers, of which others may read the other one', async () => {
    const good = `Bearer ${token}`
    assert.equal(await statusWith(['Authorization', good]), 200)
    assert.equal(await statusWith(['Authorization', 'Bearer x', 'Authorization', good]), 401)
    assert.equal(await statusWith(['Authorization', good, 'Authorization', 'Bearer x']), 401)
    assert.equal(await statusWith(['Authorization', good, 'Authorization', good]), 401)
  })

  test('is refused from the second that it expires', async () => {
    const { expires_in, access_token } = await register(pie, 'grace')
    pie.passSeconds(expires_in - 5)
    assert.equal((await pie.request('/users/me', { token: access_token })).status, 200)
    const earlier = await snapshot(pie.owner)
    pie.passSeconds(6)
    assertProblem(await pie.request('/users/me', { token: access_token }), 401, 'unauthenticated')
    assert.deepEqual(await snapshot(pie.owner), earlier)
  })
})
