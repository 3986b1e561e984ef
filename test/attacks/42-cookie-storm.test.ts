import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import { type Answer, goodPassword, startTestPie, type TestPie } from '../harness/pie.ts'

/** For how long everything is done at once: on a busy machine until enough has been done, and for so long at most. */
const STORM_MS = { atLeast: 2_500, atMost: 90_000 }

let pie: TestPie
let node: TestPie
let operator: pg.Client
before(async () => {
  pie = await startTestPie({ settings: { DATABASE_CONNECTIONS: '8' } })
  node = await startTestPie({ databaseUrl: pie.databaseUrl })
  operator = new pg.Client({ connectionString: pie.databaseUrl })
  await operator.connect()
})
after(async () => {
  await operator.end()
  await node.close()
  await pie.close()
})

const email = 'ada@example.com'
const failures: string[] = []

/** Sends a request, and keeps what is neither an answer nor a refusal. */
async function ask(path: string, options: Parameters<TestPie['request']>[1]): Promise<Answer> {
  const answer = await (Math.random() < 0.5 ? pie : node).request(path, options)
  if (answer.status >= 500) failures.push(`${path} ${answer.status} ${answer.body?.code}`)
  return answer
}

/** A browser that stays signed in as long as it can, and does one thing again and again. */
async function browse(goesOn: () => boolean, method: string, path: (id: string) => string) {
  let headers: Record<string, string> = {}
  let id = ''
  while (goesOn()) {
    if (headers['cookie'] === undefined) {
      const body = { email, password: goodPassword, transport: 'cookie' }
      const answer = await ask('/auth/login', { body })
      if (answer.status !== 200) continue
      const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
      headers = { cookie, 'x-csrf-token': answer.body.csrf_token }
      id = answer.body.session.id
    }
    const passwords = { current_password: goodPassword, new_password: goodPassword }
    const answer = await ask(path(id), {
      method,
      headers,
      ...(method === 'PUT' && { body: passwords }),
    })
    if (answer.status !== 200) headers = {}
  }
}

/** What no door does: the phone's session can be renewed once more, whatever has become of it. */
const revive = `update pie_private.sessions
  set revoked_at = null, revoked_reason = null, successor_id = null, expires_at = now()
  where user_agent = 'phone'`
const expire = `update pie_private.sessions set expires_at = now()
  where id in (select id from pie_private.sessions where revoked_at is null and expires_at > now() limit 1)`
/** One row each: whoever locks several without the user's first may well be in somebody's way. */
const work = [
  expire,
  `update pie_private.sessions set last_seen_at = now() - interval '1 hour'
   where id in (select id from pie_private.sessions where revoked_at is null limit 1)`,
  `select pie_private.grant_role('${email}', 'editor')`,
  expire,
  `select pie_private.revoke_role('${email}', 'editor')`,
  'delete from pie_private.throttles',
  expire,
  `select pie_private.revoke_sessions(null, '${email}')`,
  revive,
  `select pie_private.disable_user('${email}')`,
  `select pie_private.enable_user('${email}')`,
  revive,
]

/** The phone goes on asking with its one cookie. */
async function askAgain(goesOn: () => boolean, cookie: string): Promise<void> {
  while (goesOn()) await ask('/auth/session', { headers: { cookie } })
}

async function operate(goesOn: () => boolean): Promise<void> {
  for (let count = 0; goesOn(); count += 1) {
    const sql = work[count % work.length] ?? ''
    await operator.query(sql).catch((error) => failures.push(`${sql}: ${error.message}`))
    // So that most of the time somebody is signed in.
    if (sql === expire) await setTimeout(15)
  }
}

/** How much of it has come about: without that, nothing has been shown. */
async function countDone(): Promise<{ ended: number; renewed: number }> {
  const { rows } = await pie.owner.query(
    `select (select count(*) from pie_private.sessions where revoked_at is not null)::integer as ended,
            (select count(*) from pie_private.audit_log where event = 'session.renewed')::integer as renewed`,
  )
  return rows[0]
}

test('renewing, visiting, ending, changing passwords and roles, disabling: all at once is no deadlock', async () => {
  const phone = await pie.request('/auth/register', {
    body: { email, password: goodPassword, transport: 'cookie' },
    headers: { 'user-agent': 'phone' },
  })
  const cookie = phone.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  let isOver = false
  const goesOn = () => !isOver
  const endStorm = async () => {
    await setTimeout(STORM_MS.atLeast)
    const patience = performance.now() + STORM_MS.atMost
    for (let isEnough = false; !isEnough && performance.now() < patience; ) {
      const { ended, renewed } = await countDone()
      isEnough = ended > 5 && renewed > 0
    }
  }
  await Promise.all([
    endStorm().finally(() => {
      isOver = true
    }),
    operate(goesOn),
    ...Array.from({ length: 4 }, () => askAgain(goesOn, cookie)),
    browse(goesOn, 'GET', () => '/auth/session'),
    browse(goesOn, 'GET', () => '/users/me'),
    browse(goesOn, 'DELETE', () => '/auth/sessions'),
    browse(goesOn, 'DELETE', (id) => `/auth/sessions/${id}`),
    browse(goesOn, 'POST', () => '/auth/logout'),
    browse(goesOn, 'PUT', () => '/users/me/password'),
  ])
  assert.deepEqual(failures, [])
  await operator.query(`select pie_private.disable_user('${email}')`)
  const { rows } = await operator.query(
    'select count(*)::integer as alive from pie_private.sessions where revoked_at is null',
  )
  assert.equal(rows[0].alive, 0)
  const { ended, renewed } = await countDone()
  assert.ok(ended > 5, `${ended} sessions`)
  assert.ok(renewed > 0, 'none was renewed')
})
