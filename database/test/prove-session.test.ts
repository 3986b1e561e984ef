import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import {
  addPerson,
  addSession,
  authenticate,
  guessedProof,
  openPeopledDatabase,
  type PeopledDatabase,
  type Person,
  type Session,
} from './people.ts'
import { assertNothingChanges, assertRefused, invalidAuthorization } from './refusals.ts'

let db: PeopledDatabase
let cream: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  cream = await db.connectAs('cream')
})
after(() => db.close())

const refused = (session: Session, why: string) =>
  assertRefused(db.owner, invalidAuthorization, () => authenticate(cream, session), why)

async function whoIs(person: Person): Promise<unknown> {
  const { rows } = await db.request(
    person,
    `select current_user::text as role, pie_schema.current_user_id() as user_id,
       pie_schema.current_session_id() as session_id, pie_schema.has_role('viewer') as is_viewer,
       pie_schema.has_role('admin') as is_admin, pie_schema.has_permission('users:read') as reads_users`,
  )
  return rows[0]
}

test('a proven session works as its user, in the database role that its user has', async () => {
  assert.deepEqual(await whoIs(db.ada), {
    role: 'webuser',
    user_id: db.ada.id,
    session_id: db.ada.session.id,
    is_viewer: true,
    is_admin: false,
    reads_users: false,
  })
  assert.deepEqual(await whoIs(db.dorothy), {
    role: 'webadmin',
    user_id: db.dorothy.id,
    session_id: db.dorothy.session.id,
    is_viewer: true,
    is_admin: true,
    reads_users: true,
  })
})

test('a session is proven for its transaction alone', async () => {
  await db.request(db.dorothy, 'select 1')
  const { rows } = await db.request(
    null,
    `select current_user::text as role, current_setting('pie.session_id') as id,
       current_setting('pie.session_proof') as proof`,
  )
  assert.deepEqual(rows, [{ role: 'cream', id: '', proof: '' }])
})

test('a wrong, empty, missing or foreign proof, and an unknown session, are refused alike', async () => {
  const { ada, grace } = db
  const messages = new Set<string>()
  const attempts: Session[] = [
    { id: ada.session.id, proof: guessedProof() },
    { id: ada.session.id, proof: Buffer.alloc(0) },
    { id: ada.session.id, proof: null as unknown as Buffer },
    { id: ada.session.id, proof: grace.session.proof },
    { id: grace.session.id, proof: ada.session.proof },
    { id: randomUUID(), proof: ada.session.proof },
    { id: null as unknown as string, proof: ada.session.proof },
  ]
  for (const attempt of attempts) {
    await refused(attempt, JSON.stringify(attempt))
    await authenticate(cream, attempt).catch(({ message, detail, hint, where }) =>
      messages.add(JSON.stringify({ message, detail, hint, where: where.split(' line')[0] })),
    )
  }
  assert.equal(messages.size, 1)
})

test('what the database keeps of a proof proves nothing', async () => {
  const { rows } = await db.owner.query('select id, proof_hash as proof from pie_private.sessions')
  assert.ok(rows.length >= 3)
  for (const session of rows) await refused(session, session.id)
})

test('a session that is revoked, expired or of a disabled user is refused', async () => {
  const lise = await addPerson(db.owner, 'lise')
  const revoked = await addSession(db.owner, lise.id)
  await db.owner.query(
    `update pie_private.sessions set revoked_at = now(), revoked_reason = 'logout' where id = $1`,
    [revoked.id],
  )
  await refused(revoked, 'revoked')
  const expired = await addSession(db.owner, lise.id)
  await db.owner.query('update pie_private.sessions set expires_at = now() where id = $1', [
    expired.id,
  ])
  await refused(expired, 'expired')
  await authenticate(cream, lise.session)
  await db.owner.query('update pie_schema.users set disabled_at = now() where id = $1', [lise.id])
  await refused(lise.session, 'disabled')
})

test('a session that is revoked while its request is running sees no row from then on', async () => {
  const lise = await addPerson(db.owner, 'emmy')
  await cream.query('begin')
  await authenticate(cream, lise.session)
  const before = await cream.query('select id from pie_schema.users')
  assert.deepEqual(before.rows, [{ id: lise.id }])
  await db.owner.query(
    `update pie_private.sessions set revoked_at = now(), revoked_reason = 'logout' where id = $1`,
    [lise.session.id],
  )
  const later = await cream.query('select id from pie_schema.users')
  const written = await cream.query(`update pie_schema.users set name = 'late'`)
  await cream.query('commit')
  assert.deepEqual([later.rows, written.rowCount], [[], 0])
})

test('user_descriptions shows a user to themselves and to an admin, and to nobody else', async () => {
  const { ada, grace, dorothy } = db
  const describe = async (person: Person, id: string | null) =>
    (
      await db.request(
        person,
        'select description from pie_schema.user_descriptions where id = $1',
        [id],
      )
    ).rows[0]?.description
  await assertNothingChanges(db.owner, async () => {
    assert.equal((await describe(ada, ada.id)).email, ada.email)
    assert.equal(await describe(ada, grace.id), undefined)
    assert.equal(await describe(ada, randomUUID()), undefined)
    assert.equal(await describe(ada, null), undefined)
    const seen = await describe(dorothy, dorothy.id)
    assert.deepEqual(seen.roles, ['admin', 'viewer'])
    assert.deepEqual(seen.permissions, ['roles:read', 'roles:write', 'users:read', 'users:write'])
    assert.equal((await describe(dorothy, grace.id)).email, grace.email)
  })
})

test('read_me shows a session its own user, also an admin, and nobody to a session that may not act', async () => {
  const readMe = async ({ id, proof }: Session) =>
    (await cream.query('select pie_private.read_me($1, $2) as me', [id, proof])).rows[0].me
  const marie = await addPerson(db.owner, 'marie')
  assert.equal((await readMe(marie.session)).email, marie.email)
  assert.deepEqual((await readMe(db.dorothy.session)).roles, ['admin', 'viewer'])
  const nobodys: [string, Session][] = [
    ['a guessed proof', { ...marie.session, proof: guessedProof() }],
    ["another session's proof", { ...marie.session, proof: db.ada.session.proof }],
    ['an unknown session', { ...marie.session, id: randomUUID() }],
  ]
  for (const [why, session] of nobodys) assert.equal(await readMe(session), null, why)
  const endings = [
    `revoked_at = now(), revoked_reason = 'logout'`,
    `expires_at = now(), revoked_at = null, revoked_reason = null`,
  ]
  for (const ending of endings) {
    await db.owner.query(`update pie_private.sessions set ${ending} where id = $1`, [
      marie.session.id,
    ])
    assert.equal(await readMe(marie.session), null, ending)
  }
  // The statement was its own transaction: nothing of the role or the settings is left.
  const { rows } = await cream.query(
    `select current_user::text as role, coalesce(current_setting('pie.session_proof', true), '') as proof`,
  )
  assert.deepEqual(rows[0], { role: 'cream', proof: '' })
})

test('read_me finds its own user, also where the application lets users see each other', async () => {
  const colleague = await addPerson(db.owner, 'rosalind')
  await db.owner.query(
    'create policy everybody on pie_schema.users for select to webuser using (true)',
  )
  try {
    const { id, proof } = colleague.session
    const { rows } = await cream.query('select pie_private.read_me($1, $2) as me', [id, proof])
    assert.equal(rows[0].me.email, colleague.email)
    const stranger = await cream.query('select pie_private.read_me($1, $2) as me', [
      id,
      guessedProof(),
    ])
    assert.equal(stranger.rows[0].me, null)
  } finally {
    await db.owner.query('drop policy everybody on pie_schema.users')
  }
})
