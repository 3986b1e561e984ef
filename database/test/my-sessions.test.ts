import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
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
  untilItWaits,
} from './people.ts'
import { assertNothingChanges, assertRefused, invalidAuthorization } from './refusals.ts'

/** What a user is signed in with, and how they sign a device out: as webuser, in their own request. */
let db: PeopledDatabase
let emmy: Person
let phone: Session
let tablet: Session
let people = 0
before(async () => {
  db = await openPeopledDatabase()
})
after(() => db.close())
beforeEach(async () => {
  people += 1
  emmy = await addPerson(db.owner, `emmy${people}`)
  phone = await addSession(db.owner, emmy.id, '1 hour', 'browser')
  tablet = await addSession(db.owner, emmy.id)
})

const set = ({ id }: Pick<Session, 'id'>, assignments: string) =>
  db.owner.query(`update pie_private.sessions set ${assignments} where id = $1`, [id])

const listed = async (person: Person, window = '0'): Promise<string[]> =>
  (await db.request(person, 'select id from pie_schema.my_sessions($1)', [window])).rows.map(
    ({ id }) => id,
  )

const end = async (person: Person, id: string): Promise<string[]> =>
  (
    await db.request(
      person,
      'select id from pie_schema.end_my_session($1) as ended (id) where id is not null',
      [id],
    )
  ).rows.map((row) => row.id)

const endOthers = async (person: Person): Promise<string[]> =>
  (await db.request(person, 'select pie_schema.end_my_other_sessions() as id')).rows.map(
    ({ id }) => id,
  )

const reasonOf = async ({ id }: Pick<Session, 'id'>): Promise<string | null> =>
  (await db.owner.query('select revoked_reason from pie_private.sessions where id = $1', [id]))
    .rows[0].revoked_reason

async function linesOf(person: Person) {
  const { rows } = await db.owner.query(
    `select event, session_id, detail from pie_private.audit_log
     where user_id = $1 and event not in ('session.started', 'user.registered') order by id`,
    [person.id],
  )
  return rows
}

/** Makes a session what a browser that has just been renewed leaves behind. */
async function renew({ id, proof }: Session): Promise<string> {
  await set({ id }, `expires_at = now() - interval '1 day'`)
  const successor = randomUUID()
  const { rows } = await db.owner.query(
    `select pie_private.renew_session($1, $2, $3, $4, '1 hour', '7 days', '1 minute', null, null) #>> '{session,id}' as id`,
    [id, [proof], successor, hashOf(proofOf(successor))],
  )
  assert.equal(rows[0].id, successor)
  return successor
}

test('a user sees every session of theirs, the last used first, and which one asks', async () => {
  await set(phone, `last_seen_at = now() + interval '2 seconds', address = null`)
  await set(tablet, `last_seen_at = now() + interval '1 second', assurance_level = 2`)
  const { rows } = await db.request(emmy, 'select * from pie_schema.my_sessions()')
  assert.deepEqual(
    rows.map(({ id, kind, address, user_agent, methods, assurance_level, is_current }) => ({
      ...{ id, kind, address, user_agent, methods, assurance_level, is_current },
    })),
    [
      [phone.id, 'browser', null, 1, false] as const,
      [tablet.id, 'token', '192.0.2.1', 2, false] as const,
      [emmy.session.id, 'token', '192.0.2.1', 1, true] as const,
    ].map(([id, kind, address, assurance_level, is_current]) => ({
      ...{ id, kind, address, user_agent: 'tests', methods: ['pwd'], assurance_level, is_current },
    })),
  )
  assert.deepEqual(Object.keys(rows[0]).length, 10)
})

test('nobody else’s is among them, not for an admin either', async () => {
  assert.deepEqual(await listed(db.dorothy), [db.dorothy.session.id])
  assert.deepEqual(await listed(db.ada, '100 years'), [db.ada.session.id])
})

test('what has ended is not listed; an expired browser is, as long as it may be renewed', async () => {
  await set(phone, `expires_at = now() - interval '1 day'`)
  await set(tablet, `expires_at = now() - interval '1 day'`)
  assert.deepEqual(await listed(emmy), [emmy.session.id])
  assert.deepEqual((await listed(emmy, '7 days')).sort(), [emmy.session.id, phone.id].sort())
  assert.deepEqual(await listed(emmy, '23 hours'), [emmy.session.id])
  await set(phone, `absolute_expires_at = now() - interval '1 hour'`)
  assert.deepEqual(await listed(emmy, '7 days'), [emmy.session.id])
  await set(phone, `absolute_expires_at = now() + interval '1 day'`)
  const successor = await renew(phone)
  assert.deepEqual((await listed(emmy, '7 days')).sort(), [emmy.session.id, successor].sort())
  await set({ id: successor }, `revoked_at = now(), revoked_reason = 'logout'`)
  assert.deepEqual(await listed(emmy, '7 days'), [emmy.session.id])
})

test('a user ends another device, or the one that asks, once, with a line in the log', async () => {
  assert.deepEqual(await end(emmy, phone.id), [phone.id])
  assert.equal(await reasonOf(phone), 'ended_by_user')
  await assertRefused(db.owner, invalidAuthorization, () =>
    db.request({ ...emmy, session: phone }, 'select 1'),
  )
  await assertNothingChanges(db.owner, async () => assert.deepEqual(await end(emmy, phone.id), []))
  assert.deepEqual(await end(emmy, emmy.session.id), [emmy.session.id])
  await assertRefused(db.owner, invalidAuthorization, () => db.request(emmy, 'select 1'))
  assert.deepEqual(
    await linesOf(emmy),
    [phone.id, emmy.session.id].map((session_id) => ({
      ...{ event: 'session.ended', session_id, detail: { reason: 'ended_by_user' } },
    })),
  )
})

test('a device that was renewed since it was listed is signed out all the same', async () => {
  const successor = await renew(phone)
  const third = await renew({ id: successor, proof: proofOf(successor) })
  assert.ok((await end(emmy, phone.id)).includes(third))
  assert.equal(await reasonOf({ id: third }), 'ended_by_user')
  assert.equal(await reasonOf(tablet), null)
})

test('another user’s session, an unknown one and none are nothing to end, for an admin either', async () => {
  await assertNothingChanges(db.owner, async () => {
    for (const person of [db.ada, db.dorothy]) {
      for (const id of [phone.id, randomUUID(), null as unknown as string])
        assert.deepEqual(await end(person, id), [])
    }
  })
})

test('ending the others leaves the one that asks, and ends also what might be renewed', async () => {
  await set(phone, `expires_at = now() - interval '1 day'`)
  assert.deepEqual((await endOthers(emmy)).sort(), [phone.id, tablet.id].sort())
  assert.deepEqual(await listed(emmy, '7 days'), [emmy.session.id])
  assert.equal((await linesOf(emmy)).length, 2)
  assert.deepEqual(await listed(db.ada), [db.ada.session.id])
  await assertNothingChanges(db.owner, async () => assert.deepEqual(await endOthers(emmy), []))
})

test('of two devices that sign each other out at once, one is left', async () => {
  const [first, second] = [await db.connectAs('cream'), await db.connectAs('cream')]
  for (const [client, session] of [
    [first, emmy.session],
    [second, phone],
  ] as const) {
    await client.query('begin')
    await authenticate(client, session)
  }
  const sql = 'select pie_schema.end_my_other_sessions() as id'
  const { rows } = await first.query(sql)
  assert.equal(rows.length, 2)
  const ending = second.query(sql)
  await untilItWaits(db.owner, second, ending)
  await first.query('commit')
  assert.deepEqual((await ending).rows, [])
  await second.query('commit')
  assert.deepEqual(await listed(emmy), [emmy.session.id])
})

test('a sign-out that is rolled back has signed nobody out', async () => {
  const client = await db.connectAs('cream')
  await assertNothingChanges(db.owner, async () => {
    await client.query('begin')
    await authenticate(client, emmy.session)
    await client.query('select pie_schema.end_my_other_sessions()')
    await client.query('rollback')
  })
  assert.equal((await listed(emmy)).length, 3)
})
