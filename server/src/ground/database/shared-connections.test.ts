import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { pino } from 'pino'
import { cloneDatabase, type TestDatabase } from '../../../../test/harness/cluster.ts'
import { Secret } from '../crypto/secret.ts'
import { openSharedConnections, type SharedConnections } from './shared-connections.ts'

let clone: TestDatabase
let owner: pg.Client
let shared: SharedConnections
before(async () => {
  clone = await cloneDatabase()
  owner = new pg.Client({ connectionString: clone.url })
  await owner.connect()
  shared = openSharedConnections(Secret.fromText(clone.url), pino({ level: 'silent' }))
})
after(async () => {
  await shared.close()
  await owner.end()
  await clone.drop()
})

const echo = (value: string) => ({
  name: 'echo',
  text: 'select $1::text as value',
  values: [value],
})
/** Waits until the owner lets go of the lock. */
const waitForOwner = { name: 'wait', text: 'select pg_advisory_xact_lock_shared(1)', values: [] }

const endReaders = () =>
  owner.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'pie reads'`,
  )

test('a thousand reads at once each get their own answer, over two connections', async () => {
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, (_, index) => shared.read(echo(`number ${index}`))),
  )
  for (const [index, rows] of answers.entries()) {
    assert.deepEqual(rows, [{ value: `number ${index}` }])
  }
  const { rows } = await owner.query(
    `select count(*)::int as count from pg_stat_activity
     where datname = current_database() and application_name = 'pie reads'`,
  )
  assert.equal(rows[0].count, 2)
})

test('a read that fails fails alone', async () => {
  const failing = { name: 'fail', text: 'select 1 / $1::int as value', values: [0] }
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => shared.read(index % 4 < 2 ? failing : echo('fine'))),
  )
  for (const [index, outcome] of outcomes.entries()) {
    if (index % 4 < 2) assert.equal(outcome.status === 'rejected' && outcome.reason.code, '22012')
    else assert.deepEqual(outcome.status === 'fulfilled' && outcome.value, [{ value: 'fine' }])
  }
})

test('a read whose connection is lost is made once more, on another', async () => {
  await owner.query('select pg_advisory_lock(1)')
  const waiting = Promise.all([shared.read(waitForOwner), shared.read(waitForOwner)])
  const untilBothWait = `select from pg_stat_activity
    where datname = current_database() and application_name = 'pie reads' and wait_event = 'advisory'`
  while ((await owner.query(untilBothWait)).rowCount !== 2);
  const { rows: ended } = await endReaders()
  assert.equal(ended.length, 2)
  await owner.query('select pg_advisory_unlock(1)')
  await waiting
  await endReaders()
  assert.deepEqual(await shared.read(echo('again')), [{ value: 'again' }])
  assert.deepEqual(await shared.read(echo('and again')), [{ value: 'and again' }])
})

test('while Postgres lets nobody in, reads are refused at once; afterwards they work', async () => {
  const { pathname } = new URL(clone.url)
  const name = pathname.slice(1)
  await owner.query(`alter database ${name} connection limit 0`)
  await owner.query(`create role reader login password 'reader' in role pg_read_all_data`)
  const url = new URL(clone.url)
  url.username = url.password = 'reader'
  const reader = openSharedConnections(Secret.fromText(url.href), pino({ level: 'silent' }))
  await assert.rejects(reader.read(echo('early')), { code: 'database_unavailable' })
  await owner.query(`alter database ${name} connection limit -1`)
  assert.deepEqual(await reader.read(echo('now')), [{ value: 'now' }])
  await reader.close()
  await owner.query('drop role reader')
})
