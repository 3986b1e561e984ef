import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { goodPassword, register, startTestPie, type TestPie } from '../harness/pie.ts'

let pie: TestPie
before(async () => {
  pie = await startTestPie()
})
after(() => pie.close())

test('somebody registers, signs in, reads and changes themselves, refreshes and signs out', async () => {
  const registered = await register(pie, 'ada')
  assert.deepEqual(registered.user.roles, ['viewer'])

  const login = await pie.request('/auth/login', {
    body: { email: 'ADA@example.com', password: goodPassword },
  })
  assert.equal(login.status, 200)
  const { access_token, refresh_token, token_type, expires_in } = login.body
  assert.deepEqual({ token_type, expires_in }, { token_type: 'Bearer', expires_in: 1800 })

  const me = await pie.request('/users/me', { token: access_token })
  assert.deepEqual(me.body, registered.user)

  const renamed = await pie.request('/users/me', {
    method: 'PATCH',
    token: access_token,
    body: { name: 'Ada Lovelace' },
  })
  assert.equal(renamed.body.name, 'Ada Lovelace')

  const refreshed = await pie.request('/auth/refresh', { body: { refresh_token } })
  assert.equal(refreshed.status, 200)
  assert.notEqual(refreshed.body.refresh_token, refresh_token)
  assert.equal(
    (await pie.request('/users/me', { token: refreshed.body.access_token })).body.name,
    'Ada Lovelace',
  )

  const logout = await pie.request('/auth/logout', { method: 'POST', token: access_token })
  assert.equal(logout.status, 204)
  assert.equal((await pie.request('/users/me', { token: access_token })).status, 401)
  assert.equal((await pie.request('/users/me', { token: refreshed.body.access_token })).status, 401)
  assert.equal(
    (await pie.request('/auth/refresh', { body: { refresh_token: refreshed.body.refresh_token } }))
      .status,
    401,
  )
})
