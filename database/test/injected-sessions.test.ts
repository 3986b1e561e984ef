import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { readNotice } from '../../server/src/ground/cache/protocol.ts'
import { createTrust } from '../../server/src/ground/cache/trust.ts'
import { systemClock } from '../../server/src/ground/clock.ts'
import { type Hear, openEar } from './notices.ts'
import {
  addSession,
  authenticate,
  guessedProof,
  openPeopledDatabase,
  type PeopledDatabase,
  type Session,
} from './people.ts'
import { assertNothingChanges, assertRefused, insufficientPrivilege } from './refusals.ts'

/** Ada runs any SQL in her request transaction, and is after the sessions of others. */
let db: PeopledDatabase
let hear: Hear
let graces: Session
before(async () => {
  db = await openPeopledDatabase()
  hear = await openEar(db)
  graces = await addSession(db.owner, db.grace.id, '1 hour', 'browser')
})
after(() => db.close())

/** What each statement answered, in one request transaction of ada's that is committed. */
async function inject(statements: string[]): Promise<unknown[]> {
  const client = await db.connectAs('cream')
  const answers: unknown[] = []
  await client.query('begin')
  await authenticate(client, db.ada.session)
  for (const statement of statements) {
    await client.query('savepoint injected')
    try {
      answers.push((await client.query(statement)).rows)
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error
      answers.push(error.code)
      await client.query('rollback to injected')
    }
  }
  await client.query('commit')
  await client.end()
  return answers
}

const claim = (id: string, proof: string) =>
  `select set_config('pie.session_id', '${id}', true), set_config('pie.session_proof', '${proof}', true)`

const devices = [
  `select * from pie_schema.my_sessions('100 years')`,
  'select pie_schema.end_my_other_sessions()',
]

test('an unproven claim sees no device and ends none, whatever it is made of', async () => {
  const { rows } = await db.owner.query(
    `select encode(proof_hash, 'hex') as hash from pie_private.sessions where id = $1`,
    [graces.id],
  )
  const own = db.ada.session.proof.toString('hex')
  for (const proof of ['', own, rows[0].hash, guessedProof().toString('hex')]) {
    for (const role of ['webuser', 'webadmin']) {
      await assertNothingChanges(db.owner, async () => {
        const end = `select id from pie_schema.end_my_session('${graces.id}') as e (id) where id is not null`
        const answers = await inject([
          `set local role ${role}`,
          claim(graces.id, proof),
          ...devices,
          end,
          claim('', ''),
          ...devices,
          end,
        ])
        assert.deepEqual(answers.slice(2, 5), [[], [], []], `${role} ${proof}`)
        assert.deepEqual(answers.slice(6), [[], [], []])
      })
    }
  }
})

test('without a role of requests nobody calls them, and what nodes cache is granted to no role', async () => {
  const description = 'select description from pie_private.session_descriptions'
  await assertNothingChanges(db.owner, async () => {
    const answers = await inject(['reset role', ...devices, description])
    assert.deepEqual(answers.slice(1), Array(3).fill(insufficientPrivilege))
    assert.deepEqual(await inject([description, 'set local role webadmin', description]), [
      insufficientPrivilege,
      [],
      insufficientPrivilege,
    ])
  })
})

test('a device list asked for in every way is of ada alone', async () => {
  for (const window of ['100 years', 'infinity', '-1 day', '0']) {
    const answers = await inject([
      `select * from pie_schema.my_sessions('${window}')`,
      `select m.* from pie_schema.my_sessions(null) as m`,
      `select (select array_agg(m) from pie_schema.my_sessions('${window}') as m)`,
      `select query_to_xml('select * from pie_schema.my_sessions(''${window}'')', true, false, '')`,
    ])
    const seen = JSON.stringify(answers)
    for (const id of [graces.id, db.grace.session.id, db.dorothy.session.id])
      assert.ok(!seen.includes(id), window)
  }
})

test('what the server calls, and what triggers call, is executed by no request', async () => {
  const server = [
    `pie_private.visit_session('${graces.id}', '{}', '1 hour')`,
    `pie_private.renew_session('${graces.id}', '{}', '${graces.id}', '', '1 h', '1 h', '1 h', null, null)`,
    `pie_private.begin_password_change('${graces.id}', '{}')`,
    `pie_private.complete_password_change('${graces.id}', '{}', '', '', '${graces.id}', '', '1 h', '1 h', null, null)`,
    `pie_private.use_csrf_token('', now())`,
    `pie_private.list_predecessors('${graces.id}', '{}', '1 h')`,
    'pie_private.announce_session()',
    'pie_private.announce_user()',
    'pie_private.announce_everything()',
    'pie_private.touch_user_of_row()',
    'pie_private.turn_over_sessions()',
  ]
  for (const call of server) {
    for (const role of ['', 'reset role; ', 'set local role webadmin; ']) {
      await assertRefused(
        db.owner,
        insufficientPrivilege,
        () => db.request(db.ada, `${role}select ${call}`),
        call,
      )
    }
  }
})

test('notices that anybody may send raise no trust: they are not notices, or take belief away', async () => {
  const forged = [
    'heartbeat',
    '',
    '*',
    `session ${graces.id} 0`,
    `session ${graces.id} -1`,
    `user ${db.grace.id} 99999999999999999999`,
    `session ${graces.id} 1e9`,
    `session ${graces.id} 1\nuser x`,
    `session ${graces.id} 1`,
  ]
  const heard = await hear(() =>
    inject(forged.map((payload) => `select pg_notify('pie_cache', '${payload}')`)),
  )
  assert.deepEqual(heard, forged)
  const trust = createTrust(systemClock)
  trust.heartbeat()({ transaction: 1, time: 1 })
  const entry = (version: number) =>
    trust.judge(
      {
        versions: [[`session ${graces.id}`, version]],
        readAt: { transaction: 2, time: 2 },
        goodUntil: Number.POSITIVE_INFINITY,
      },
      trust.begin(),
    )
  const revoked = readNotice(`session ${graces.id} 5`)
  assert.ok(revoked !== null)
  trust.hear(revoked)
  assert.deepEqual([entry(4), entry(5)], ['below_floor', 'believed'])
  for (const payload of heard.filter((text) => text !== '*')) {
    const notice = readNotice(payload)
    if (notice !== null) trust.hear(notice)
    assert.equal(entry(4), 'below_floor', payload)
  }
  assert.equal(entry(5), 'believed')
  trust.hear('everything')
  assert.equal(entry(5), 'before_horizon')
})

test('a flood of notices from a request holds up no revocation, and none is lost behind it', async () => {
  const client = await db.connectAs('cream')
  await client.query('begin')
  await authenticate(client, db.ada.session)
  await client.query(
    `select count(pg_notify('pie_cache', 'x' || n)) from generate_series(1, 20000) as n`,
  )
  // Not yet committed: whoever revokes does not wait for it.
  const auth = await db.connectAs('pie_auth')
  await auth.query(`set statement_timeout = '5s'`)
  const before = await addSession(db.owner, db.grace.id)
  const end = 'select pie_private.end_session($1, $2, $3, null)'
  const first = await hear(() => auth.query(end, [before.id, [before.proof], 'logout']))
  assert.deepEqual(first, [`session ${before.id} 2`])
  const heard = await hear(async () => {
    await client.query('commit')
    await auth.query(end, [graces.id, [graces.proof], 'logout'])
  })
  assert.equal(heard.length, 20_001)
  assert.equal(heard.at(-1), `session ${graces.id} 2`)
})
