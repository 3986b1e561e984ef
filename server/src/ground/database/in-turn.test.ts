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

test('whoever waits in vain is told for whom, and can go on once that has been ended', async () => {
  const cream = await db.connectAs('cream')
  await cream.query('select pg_advisory_lock($1)', [0x7069650001])
  const { rows } = await cream.query('select pg_backend_pid() as pid')
  await assert.rejects(
    inTurn(db.owner, async () => assert.fail('it was not its turn'), '100ms'),
    (error) =>
      error instanceof OperatorError &&
      error.message.includes(`the connection ${rows[0].pid} of the role cream`),
  )
  await db.owner.query('select pg_terminate_backend($1)', [rows[0].pid])
  assert.equal(await inTurn(db.owner, async () => 'its turn'), 'its turn')
})
