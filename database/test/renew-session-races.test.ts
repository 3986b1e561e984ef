import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import type pg from 'pg'
import {
  addPerson,
  addSession,
  authenticate,
  hashOf,
  openPeopledDatabase,
  type PeopledDatabase,
  type Person,
  proofOf,
  type Session,
  someHash,
  untilItWaits,
} from './people.ts'

/** Whoever ends a user's sessions ends also the one that is being renewed at that moment. */
let db: PeopledDatabase
let first: pg.Client
let second: pg.Client
let emmy: Person
let session: Session
let people = 0
before(async () => {
  db = await openPeopledDatabase()
  first = await db.connectAs('pie_auth')
  second = await db.connectAs('pie_auth')
})
after(() => db.close())
beforeEach(async () => {
  people += 1
  emmy = await addPerson(db.owner, `emmy${people}`)
  session = await addSession(db.owner, emmy.id, '1 hour', 'browser')
  await db.owner.query(
    `update pie_private.sessions set expires_at = now() - interval '1 day' where id = $1`,
    [session.id],
  )
})

async function renew(client: pg.Client): Promise<string | null> {
  const successor = randomUUID()
  const { rows } = await client.query(
    `select pie_private.renew_session($1, $2, $3, $4, '1 hour', '7 days', '60 seconds', null, null) #>> '{session,id}' as id`,
    [session.id, [session.proof], successor, hashOf(proofOf(successor))],
  )
  return rows[0].id
}

/** The browser sessions of the user that act, or that a request would renew. */
async function living(): Promise<string[]> {
  const { rows } = await db.owner.query(
    `select id from pie_private.sessions
     where user_id = $1 and kind = 'browser' and revoked_at is null and successor_id is null`,
    [emmy.id],
  )
  return rows.map(({ id }) => id)
}

interface Ending {
  client: pg.Client
  end(): Promise<unknown>
}

/** Ends the session, in a transaction that is open: as the owner, as the server, or as the user. */
const endings: Record<string, [role: 'owner' | 'pie_auth' | 'cream', sql: () => string]> = {
  'disabling the user': ['owner', () => `select pie_private.disable_user('${emmy.email}')`],
  'revoking all by the operator': [
    'owner',
    () => `select pie_private.revoke_sessions(null, '${emmy.email}')`,
  ],
  'revoking it by the operator': [
    'owner',
    () => `select pie_private.revoke_sessions('${session.id}', null)`,
  ],
  'a change of the password': [
    'pie_auth',
    () => `select * from pie_private.complete_password_change('${emmy.session.id}',
      array['\\x${emmy.session.proof.toString('hex')}'::bytea], '${someHash}', '${someHash}x',
      gen_random_uuid(), sha256('new'), '1 hour', '1 day', null, null)`,
  ],
  'signing out the other devices': ['cream', () => 'select pie_schema.end_my_other_sessions()'],
  'signing out that device': ['cream', () => `select pie_schema.end_my_session('${session.id}')`],
}

async function prepare(what: string): Promise<Ending> {
  const [role, sql] = endings[what] ?? assert.fail(what)
  const client = await db.connectAs(role)
  await client.query('begin')
  if (role === 'cream') await authenticate(client, emmy.session)
  return { client, end: () => client.query(sql()) }
}

for (const what of Object.keys(endings)) {
  test(`${what} ends the successor of a renewal that is not yet committed`, async () => {
    const { client, end } = await prepare(what)
    await first.query('begin')
    const successor = await renew(first)
    assert.notEqual(successor, null)
    const ending = end()
    await untilItWaits(db.owner, client, ending)
    await first.query('commit')
    await ending
    await client.query('commit')
    const left = await living()
    assert.ok(!left.includes(session.id) && !left.includes(successor ?? ''), 'it goes on')
  })

  test(`a renewal that waits for ${what} renews nothing`, async () => {
    const { client, end } = await prepare(what)
    await end()
    const renewing = renew(first)
    await untilItWaits(db.owner, first, renewing)
    await client.query('commit')
    assert.equal(await renewing, null)
    const left = await living()
    assert.ok(!left.includes(session.id))
  })
}

test('of renewals at once each gets the same successor, and the loser waits for the winner', async () => {
  await first.query('begin')
  const winner = await renew(first)
  const losing = renew(second)
  await untilItWaits(db.owner, second, losing)
  await first.query('commit')
  assert.equal(await losing, winner)
  assert.deepEqual(await living(), [winner])
})

test('when the first renewal comes to nothing, the second is the one', async () => {
  await first.query('begin')
  const undone = await renew(first)
  const renewing = renew(second)
  await untilItWaits(db.owner, second, renewing)
  await first.query('rollback')
  const successor = await renewing
  assert.ok(successor !== null && successor !== undone)
  assert.deepEqual(await living(), [successor])
})

test('20 renewals at once make one successor and one line in the log', async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, () => db.connectAs('pie_auth')))
  const successors = await Promise.all(clients.map(renew))
  assert.equal(new Set(successors).size, 1)
  assert.deepEqual(await living(), [successors[0]])
  const { rowCount } = await db.owner.query(
    `select from pie_private.audit_log where user_id = $1 and event = 'session.renewed'`,
    [emmy.id],
  )
  assert.equal(rowCount, 1)
})

test('a role that changes while its user’s session is renewed expires the successor', async () => {
  await first.query('begin')
  const successor = await renew(first)
  const operator = await db.connectAs('owner')
  const granting = operator.query(`select pie_private.grant_role($1, 'editor')`, [emmy.email])
  await untilItWaits(db.owner, operator, granting)
  await first.query('commit')
  await granting
  const { rows } = await db.owner.query(
    'select expires_at <= now() as is_expired from pie_private.sessions where id = $1',
    [successor],
  )
  assert.equal(rows[0].is_expired, true)
})

test('a user who is deleted while their session is renewed is gone, without a deadlock', async () => {
  await first.query('begin')
  await renew(first)
  const operator = await db.connectAs('owner')
  const deleting = operator.query('select pie_private.delete_user($1)', [emmy.email])
  await untilItWaits(db.owner, operator, deleting)
  await first.query('commit')
  await deleting
  assert.deepEqual(await living(), [])
  assert.equal(await renew(first), null)
})
