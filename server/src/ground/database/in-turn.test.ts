import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import { openPeopledDatabase, type PeopledDatabase } from '../../../../database/test/people.ts'
import { OperatorError } from '../errors.ts'
import { inTurn } from './in-turn.ts'

let db: PeopledDatabase
let another: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  another = await db.connectAs('owner')
})
after(() => db.close())

test('of two who prepare a database, the second begins when the first is done', async () => {
  const done: string[] = []
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const first = inTurn(db.owner, async () => {
    begin()
    await db.owner.query('select pg_sleep(0.2)')
    done.push('first')
  })
  await begun
  await inTurn(another, async () => void done.push('second'))
  await first
  assert.deepEqual(done, ['first', 'second'])
})

test('what requests hold of the advisory lock that it once was is not waited for', async () => {
  const cream = await db.connectAs('cream')
  await cream.query('select pg_advisory_lock($1)', [0x7069650001])
  assert.equal(await inTurn(db.owner, async () => 'its turn'), 'its turn')
})

test('a node of a version that takes only the advisory lock has its turn too', async () => {
  await db.owner.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'cream' and datname = current_database()`,
  )
  await another.query('select pg_advisory_lock($1)', [0x7069650001])
  await assert.rejects(
    inTurn(db.owner, async () => assert.fail('it was not its turn'), '100ms'),
    OperatorError,
  )
  await another.query('select pg_advisory_unlock_all()')
  assert.equal(await inTurn(db.owner, async () => 'its turn'), 'its turn')
})

test('requests may not take the turn', async () => {
  const cream = await db.connectAs('cream')
  for (const mode of ['access share', 'exclusive', 'access exclusive']) {
    await cream.query('begin')
    const taking = cream.query(`lock table pie_private.turns in ${mode} mode`)
    await assert.rejects(taking, { code: '42501' })
    await cream.query('rollback')
  }
})

test('whoever waits in vain is told for whom, and can go on once that has been ended', async () => {
  await another.query('begin; lock table pie_private.turns in exclusive mode')
  const { rows } = await another.query('select pg_backend_pid() as pid, session_user as name')
  await assert.rejects(
    inTurn(db.owner, async () => assert.fail('it was not its turn'), '100ms'),
    (error) =>
      error instanceof OperatorError &&
      error.message.includes(`the connection ${rows[0].pid} of the role ${rows[0].name}`),
  )
  await another.query('rollback')
  assert.equal(await inTurn(db.owner, async () => 'its turn'), 'its turn')
})

test('whoever loses the turn in the middle does not go on', async () => {
  const owner = await db.connectAs('owner')
  await assert.rejects(
    inTurn(owner, async () => {
      await db.owner.query(
        `select pg_terminate_backend(pid) from pg_locks where relation = 'pie_private.turns'::regclass`,
      )
      await owner.query('select pg_sleep(60)')
    }),
    /the turn was lost|terminated|not queryable|turn/,
  )
})
