import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { gone, type Hear, openEar } from './notices.ts'
import {
  addPerson,
  addSession,
  hashOf,
  inTransaction,
  openPeopledDatabase,
  type PeopledDatabase,
  proofOf,
  type Session,
} from './people.ts'

let db: PeopledDatabase
let hear: Hear
let session: Session
before(async () => {
  db = await openPeopledDatabase()
  hear = await openEar(db)
})
after(() => db.close())
beforeEach(async () => {
  session = await addSession(db.owner, db.ada.id, '1 hour', 'browser')
})

const set = (assignments: string, id = session.id) =>
  db.owner.query(`update pie_private.sessions set ${assignments} where id = $1`, [id])

const versionOf = async (id: string): Promise<number> =>
  Number(
    (await db.owner.query('select version from pie_private.sessions where id = $1', [id])).rows[0]
      .version,
  )

/** What a change of each column is; the notice is of the row, whichever column it was. */
const announced: Record<string, string> = {
  user_id: `user_id = (select id from pie_schema.users where name = 'grace')`,
  kind: `kind = 'token'`,
  proof_hash: `proof_hash = sha256('another')`,
  expires_at: `expires_at = expires_at - interval '1 second'`,
  absolute_expires_at: `absolute_expires_at = absolute_expires_at - interval '1 second'`,
  revoked_at: `revoked_at = now(), revoked_reason = 'logout'`,
  assurance_level: 'assurance_level = 2',
  methods: `methods = '{pwd,otp}'`,
  actor_id: `actor_id = (select id from pie_schema.users where name = 'grace')`,
  scopes: `scopes = '{read}'`,
}
const silent: Record<string, string> = {
  created_at: `created_at = now() - interval '1 day'`,
  last_seen_at: 'last_seen_at = clock_timestamp()',
  revoked_reason: `revoked_reason = null`,
  refresh_generation: 'refresh_generation = refresh_generation + 1',
  refreshed_at: 'refreshed_at = clock_timestamp()',
  successor_id: `successor_id = '00000000-0000-4000-8000-000000000000'`,
  address: `address = '203.0.113.9'`,
  user_agent: `user_agent = 'another'`,
  version: 'version = 77',
}

test('of every column it is said here whether a change of it is announced', async () => {
  const { rows } = await db.owner.query(
    `select column_name as name from information_schema.columns
     where table_schema = 'pie_private' and table_name = 'sessions'`,
  )
  const known = ['id', ...Object.keys(announced), ...Object.keys(silent)]
  assert.deepEqual(rows.map(({ name }) => name).sort(), known.sort())
})

test('a change of what a session may do is announced once, with the new and greater version', async () => {
  for (const [column, assignment] of Object.entries(announced)) {
    const { id } = await addSession(db.owner, db.ada.id, '1 hour', 'browser')
    const before = await versionOf(id)
    const heard = await hear(() => set(assignment, id))
    assert.ok((await versionOf(id)) > before, column)
    assert.deepEqual(heard, [`session ${id} ${await versionOf(id)}`], column)
  }
})

test('a session that gets another id is gone under the first', async () => {
  const id = randomUUID()
  const heard = await hear(() => set(`id = '${id}'`))
  assert.deepEqual(heard.sort(), [`session ${session.id} ${gone}`, `session ${id} 2`].sort())
})

test('what neither ends a session sooner nor changes what it may do is not announced, and counted', async () => {
  const successor = '00000000-0000-4000-8000-000000000000'
  await db.owner.query(
    `select pie_private.start_session($1, $2, 'token', sha256(''), '{}', '1 hour', '1 day', null, null)`,
    [db.ada.id, successor],
  )
  const longer = {
    expires_at: `expires_at = expires_at + interval '1 second'`,
    absolute_expires_at: `absolute_expires_at = absolute_expires_at + interval '1 second'`,
    nothing: 'methods = methods, expires_at = expires_at, scopes = scopes',
  }
  for (const [column, assignment] of Object.entries({ ...silent, ...longer })) {
    const before = await versionOf(session.id)
    assert.deepEqual(await hear(() => set(assignment)), [], column)
    assert.equal(await versionOf(session.id), before + 1, column)
  }
})

test('starting, refreshing and visiting a session is not announced', async () => {
  const auth = await db.connectAs('pie_auth')
  const token = await addSession(db.owner, db.ada.id)
  const sql = {
    refresh: `select from pie_private.refresh_session($1, $2, 0, '1 hour', '30 seconds', null)`,
    visit: `select pie_private.visit_session($1, $2, '1 day')`,
  }
  await set(`last_seen_at = now() - interval '1 hour'`)
  const heard = await hear(async () => {
    await auth.query(sql.refresh, [token.id, [token.proof]])
    await auth.query(sql.visit, [session.id, [session.proof]])
    await addSession(db.owner, db.ada.id)
  })
  assert.deepEqual(heard, [])
  assert.equal(await versionOf(token.id), 2)
  assert.equal(await versionOf(session.id), 3)
})

test('a visit that puts the proof under another key is announced: the old proof opens nothing more', async () => {
  const auth = await db.connectAs('pie_auth')
  const newProof = proofOf(`${session.id}-under-another-key`)
  const heard = await hear(() =>
    auth.query(`select pie_private.visit_session($1, $2, '1 hour')`, [
      session.id,
      [newProof, session.proof],
    ]),
  )
  assert.deepEqual(heard, [`session ${session.id} 2`])
  const { rows } = await db.owner.query(
    'select proof_hash from pie_private.sessions where id = $1',
    [session.id],
  )
  assert.deepEqual(rows[0].proof_hash, hashOf(newProof))
})

test('what is rolled back is not announced, and a change made twice is announced as it ended', async () => {
  const heard = await hear(async () => {
    await db.owner.query('begin')
    await set('assurance_level = 2')
    await db.owner.query('rollback')
    await inTransaction(db.owner, async () => {
      await db.owner.query('savepoint before')
      await set(`methods = '{otp}'`)
      await db.owner.query('rollback to before')
      await set('assurance_level = 3')
    })
  })
  assert.deepEqual(heard, [`session ${session.id} 2`])
})

test('a deleted session is announced as gone, unless it had ended long before', async () => {
  const remove = (id = session.id) =>
    db.owner.query('delete from pie_private.sessions where id = $1', [id])
  assert.deepEqual(await hear(() => remove()), [`session ${session.id} ${gone}`])
  const ended = {
    revoked: `revoked_at = now(), revoked_reason = 'logout'`,
    'expired for long': `expires_at = now() - interval '61 minutes'`,
  }
  for (const [why, assignment] of Object.entries(ended)) {
    const { id } = await addSession(db.owner, db.ada.id)
    await set(assignment, id)
    assert.deepEqual(await hear(() => remove(id)), [], why)
  }
  const { id } = await addSession(db.owner, db.ada.id)
  await set(`expires_at = now() - interval '59 minutes'`, id)
  assert.deepEqual(await hear(() => remove(id)), [`session ${id} ${gone}`])
})

test('deleting a user announces the user, and each session of theirs, as gone', async () => {
  const hedy = await addPerson(db.owner, 'hedy')
  const other = await addSession(db.owner, hedy.id, '1 hour', 'browser')
  const heard = await hear(() =>
    db.owner.query('delete from pie_schema.users where id = $1', [hedy.id]),
  )
  for (const name of [`user ${hedy.id}`, `session ${hedy.session.id}`, `session ${other.id}`]) {
    assert.ok(heard.includes(`${name} ${gone}`), `${name}: ${heard}`)
  }
  const strangers = heard.filter(
    (notice) => ![hedy.id, hedy.session.id, other.id].some((id) => notice.includes(id)),
  )
  assert.deepEqual(strangers, [])
})
