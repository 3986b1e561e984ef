import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import { openPeopledDatabase, type PeopledDatabase, someHash } from './people.ts'
import { assertRefused, checkViolation, insufficientPrivilege } from './refusals.ts'

let db: PeopledDatabase
let auth: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
})
after(() => db.close())

const countLines = async (): Promise<number> =>
  (await db.owner.query('select count(*)::int as count from pie_private.audit_log')).rows[0].count

test('no line is changed, deleted or truncated, not by the owner and not by a superuser', async () => {
  const { rows } = await db.owner.query(
    `select rolsuper from pg_roles where rolname = current_user`,
  )
  assert.equal(rows[0].rolsuper, true)
  const attempts = [
    `update pie_private.audit_log set detail = '{}'`,
    'update pie_private.audit_log set happened_at = now() where false',
    'delete from pie_private.audit_log',
    'truncate pie_private.audit_log',
    'truncate pie_private.audit_log, pie_schema.users cascade',
    `merge into pie_private.audit_log using (select 1) as x on true when matched then delete`,
    `with gone as (delete from pie_private.audit_log returning 1) select count(*) from gone`,
  ]
  for (const attempt of attempts) {
    await assertRefused(db.owner, insufficientPrivilege, () => db.owner.query(attempt), attempt)
  }
})

test('replication that switches triggers off does not switch this one off', async () => {
  await assertRefused(db.owner, insufficientPrivilege, async () => {
    await db.owner.query('begin')
    try {
      await db.owner.query('set local session_replication_role = replica')
      await db.owner.query('delete from pie_private.audit_log')
    } finally {
      await db.owner.query('rollback')
    }
  })
})

test('an owner who is no superuser is held by the policies as well', async () => {
  const { rows } = await db.owner.query(
    `select polcmd from pg_policy where polrelid = 'pie_private.audit_log'::regclass order by 1`,
  )
  assert.deepEqual(
    rows.map(({ polcmd }) => polcmd),
    ['a', 'r'],
  )
})

test('what happened and its line are kept together or not at all', async () => {
  const lines = await countLines()
  const id = randomUUID()
  await auth.query('begin')
  await auth.query(
    `select pie_private.register_user($1, 'rolled@example.com', null, $2, '192.0.2.1')`,
    [id, someHash],
  )
  await auth.query('rollback')
  assert.equal(await countLines(), lines)
  await auth.query(
    `select pie_private.register_user($1, 'kept@example.com', null, $2, '192.0.2.1')`,
    [id, someHash],
  )
  assert.equal(await countLines(), lines + 1)
})

test('a line says when its transaction began, and lines are in the order in which they were added', async () => {
  await db.owner.query('begin')
  await db.owner.query(`select pie_private.record_event('test.first', null, null, null)`)
  await db.owner.query(
    `select pie_private.record_event('test.second', null, null, null, '{"a": 1}')`,
  )
  const { rows } = await db.owner.query(
    `select event, detail, happened_at = now() as is_now from pie_private.audit_log
     where event like 'test.%' order by id`,
  )
  await db.owner.query('commit')
  assert.deepEqual(rows, [
    { event: 'test.first', detail: {}, is_now: true },
    { event: 'test.second', detail: { a: 1 }, is_now: true },
  ])
})

test('an event is a subject and a verb, and its detail an object', async () => {
  const record = (event: string, detail: string) =>
    db.owner.query('select pie_private.record_event($1, null, null, null, $2)', [event, detail])
  for (const [event, detail] of [
    ['login', '{}'],
    ['Session.ended', '{}'],
    ['session.ended.twice', '{}'],
    ['session.ended', '[]'],
    ['session.ended', '"text"'],
    ['session.ended', 'null'],
  ] as const) {
    await assertRefused(db.owner, checkViolation, () => record(event, detail), event)
  }
})

test('the log holds no proof, hash or password of anybody', async () => {
  const { rows } = await db.owner.query('select t::text as line from pie_private.audit_log as t')
  const { rows: kept } = await db.owner.query(
    `select encode(proof_hash, 'hex') as hash from pie_private.sessions`,
  )
  const secrets = kept.map(({ hash }) => hash).concat(someHash, 'argon2id')
  for (const { session } of [db.ada, db.grace]) secrets.push(session.proof.toString('hex'))
  const log = rows.map(({ line }) => line).join('\n')
  assert.ok(log.length > 0)
  for (const secret of secrets) assert.ok(!log.includes(secret))
})
