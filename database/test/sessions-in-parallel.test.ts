import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import pg from 'pg'
import {
  addPerson,
  addSession,
  authenticate,
  hashOf,
  inTransaction,
  openPeopledDatabase,
  type PeopledDatabase,
  type Person,
  proofOf,
  type Session,
  someHash,
} from './people.ts'

/** Everything that changes a user and their sessions, at once and in any order: no deadlock, no survivor. */
const RUN_MS = 1_500
/** On a busy machine it takes longer until so much has been done. */
const ENOUGH = 400

let db: PeopledDatabase
before(async () => {
  db = await openPeopledDatabase()
})
after(() => db.close())

/** A session that has ended meanwhile is refused: an outcome like any other. */
const sane = ['28000']

type Work = (client: pg.Client) => Promise<unknown>

test('changes of roles, passwords and sessions at once are no deadlock, and leave every row in order', async () => {
  const emmy = await addPerson(db.owner, 'emmy')
  const sessions: Session[] = [emmy.session]
  const add = async () => {
    const session = await addSession(db.owner, emmy.id, '1 hour', 'browser')
    sessions.push(session)
    return session
  }
  for (let count = 0; count < 5; count++) await add()
  const some = (): Session => sessions.at(-1 - Math.floor(Math.random() * 8)) ?? emmy.session
  const asSome = (client: pg.Client, sql: string) =>
    inTransaction(client, async () => {
      await authenticate(client, some())
      await client.query(sql)
    })
  let hash = someHash
  let changes = 0

  const auth: Work[] = [
    async (client) => {
      const [{ id, proof }, next] = [some(), randomUUID()]
      await client.query(
        `select pie_private.renew_session($1, $2, $3, $4, '1 hour', '7 days', '1 minute', null, null)`,
        [id, [proof], next, hashOf(proofOf(next))],
      )
      sessions.push({ id: next, proof: proofOf(next) })
    },
    async (client) => {
      const [{ id, proof }, next, newHash] = [some(), randomUUID(), `${someHash}${++changes}`]
      const { rowCount } = await client.query(
        `select from pie_private.complete_password_change($1, $2, $3, $4, $5, $6, '1 hour', '1 day', null, null)`,
        [id, [proof], hash, newHash, next, hashOf(proofOf(next))],
      )
      if (rowCount === 0) return
      hash = newHash
      sessions.push({ id: next, proof: proofOf(next) })
    },
    async (client) => {
      const id = randomUUID()
      await client.query(
        `select from pie_private.complete_password_sign_in($1, $2, $3, $4, 'browser', $5, '1 hour', '1 day', '192.0.2.1', null)`,
        [emmy.id, emmy.email, hash, id, hashOf(proofOf(id))],
      )
      sessions.push({ id, proof: proofOf(id) })
    },
    (client) => {
      const { id, proof } = some()
      return client.query(`select pie_private.visit_session($1, $2, '1 hour')`, [id, [proof]])
    },
    (client) => {
      const { id, proof } = some()
      return client.query(`select pie_private.end_session($1, $2, 'logout', null)`, [id, [proof]])
    },
  ]
  const cream: Work[] = [
    (client) => asSome(client, 'select pie_schema.end_my_other_sessions()'),
    (client) => asSome(client, `select pie_schema.end_my_session('${some().id}')`),
    (client) => asSome(client, `update pie_schema.users set name = 'Emmy'`),
  ]
  const owner: Work[] = [
    (client) => client.query(`select pie_private.grant_role($1, 'editor')`, [emmy.email]),
    (client) => client.query(`select pie_private.revoke_role($1, 'editor')`, [emmy.email]),
    (client) => client.query('select pie_private.disable_user($1)', [emmy.email]),
    async (client) => {
      await client.query('select pie_private.enable_user($1)', [emmy.email])
      await add()
    },
    (client) => client.query('select pie_private.revoke_sessions($1, null)', [some().id]),
    (client) => client.query('select pie_private.revoke_sessions(null, $1)', [emmy.email]),
    add,
    add,
    (client) =>
      client.query(
        `update pie_private.sessions set expires_at = now() - interval '1 day' where id = $1`,
        [some().id],
      ),
  ]

  const unexpected: string[] = []
  let done = 0
  const end = performance.now() + RUN_MS
  const run = async (role: 'pie_auth' | 'cream' | 'owner', works: Work[]) => {
    const client = await db.connectAs(role)
    while (performance.now() < end || (done < ENOUGH && unexpected.length === 0)) {
      const work = works[Math.floor(Math.random() * works.length)] as Work
      try {
        await work(client)
        done += 1
      } catch (error) {
        if (!(error instanceof pg.DatabaseError)) throw error
        if (!sane.includes(error.code ?? '')) unexpected.push(`${error.code} ${error.message}`)
      }
    }
  }
  await Promise.all([
    ...[1, 2, 3, 4].map(() => run('pie_auth', auth)),
    ...[1, 2].map(() => run('cream', cream)),
    ...[1, 2].map(() => run('owner', owner)),
  ])
  assert.deepEqual(unexpected, [])
  await assertInOrder(emmy)
})

/** Whatever came first: who is ended at the end is ended, and no session has been continued twice. */
async function assertInOrder({ id, email }: Person): Promise<void> {
  await db.owner.query('select pie_private.enable_user($1)', [email])
  await addSession(db.owner, id)
  await db.owner.query('select pie_private.disable_user($1)', [email])
  const { rows } = await db.owner.query(
    `select count(*) filter (where revoked_at is null)::int as living,
            count(successor_id)::int as renewed,
            (select count(*)::int from pie_private.audit_log
             where audit_log.user_id = $1 and event = 'session.renewed') as renewals,
            count(distinct absolute_expires_at)::int > 0 as is_any
     from pie_private.sessions where user_id = $1`,
    [id],
  )
  const [{ living, renewed, renewals, is_any }] = rows
  assert.deepEqual({ living, renewed, is_any }, { living: 0, renewed: renewals, is_any: true })
}

test('a user who is deleted in the midst of it is gone, without a deadlock', async () => {
  for (let round = 0; round < 8; round++) {
    const hedy = await addPerson(db.owner, `hedy${round}`)
    const browser = await addSession(db.owner, hedy.id, '1 hour', 'browser')
    await db.owner.query(
      `update pie_private.sessions set expires_at = now() - interval '1 day' where id = $1`,
      [browser.id],
    )
    const clients = await Promise.all([
      db.connectAs('owner'),
      db.connectAs('owner'),
      db.connectAs('pie_auth'),
      db.connectAs('pie_auth'),
    ])
    const [id, next] = [randomUUID(), randomUUID()]
    const statements: [string, unknown[]][] = [
      ['select pie_private.delete_user($1)', [hedy.email]],
      [`select pie_private.revoke_role($1, 'viewer')`, [hedy.email]],
      [
        `select pie_private.renew_session($1, $2, $3, $4, '1 hour', '7 days', '1 minute', null, null)`,
        [browser.id, [browser.proof], next, hashOf(proofOf(next))],
      ],
      [
        `select from pie_private.complete_password_change($1, $2, $3, $3 || 'x', $4, $5, '1 hour', '1 day', null, null)`,
        [hedy.session.id, [hedy.session.proof], someHash, id, hashOf(proofOf(id))],
      ],
    ]
    const outcomes = await Promise.allSettled(
      statements.map(([sql, values], index) => clients[index]?.query(sql, values)),
    )
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.equal(outcome.reason.code, '28000', outcome.reason)
    }
    const { rowCount } = await db.owner.query(
      'select from pie_private.sessions where user_id = $1',
      [hedy.id],
    )
    assert.equal(rowCount, 0)
    for (const client of clients) await client.end()
  }
})
