import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { cloneDatabase, type TestDatabase } from '../../../../test/harness/cluster.ts'
import { Secret } from '../crypto/secret.ts'
import { createLog } from '../log.ts'
import type { Statement } from './pipeline.ts'
import { type Database, openDatabase } from './pool.ts'

let clone: TestDatabase
let one: Database
before(async () => {
  clone = await cloneDatabase()
  one = openDatabase(Secret.fromText(clone.url), createLog('silent', false), { connections: 1 })
})
after(async () => {
  await one.pool.end()
  await clone.drop()
})

const adHoc = (text: string, ...values: string[]): Statement => ({
  name: text.slice(0, 63),
  text,
  values,
  isAdHoc: true,
})
const lasting = { name: 'lasting', text: 'select 1 as n', values: [] }
const countPrepared = async (): Promise<number> => {
  const text = `select count(*)::int as count from pg_prepared_statements`
  const [[row] = []] = await one.send({ name: '', text, values: [] })
  return row?.['count']
}

test('of statements without end, a connection keeps the newest 100 prepared', async () => {
  await one.send(lasting)
  for (let n = 0; n < 250; n += 1) {
    const [[row] = []] = await one.send(adHoc(`select ${n} as n`))
    assert.deepEqual(row, { n })
  }
  assert.equal(await countPrepared(), 101)
  // What has been put away is prepared again, what lasts is still there.
  assert.deepEqual(await one.send(adHoc('select 0 as n'), lasting), [[{ n: 0 }], [{ n: 1 }]])
  assert.equal(await countPrepared(), 101)
})

test('also of those that fail when they are run, which Postgres keeps too', async () => {
  for (let n = 0; n < 150; n += 1)
    await assert.rejects(one.send(adHoc(`select ${n}, $1::int`, 'x')), { code: '22P02' })
  assert.ok((await countPrepared()) <= 101)
  assert.deepEqual(await one.send(adHoc('select 7 as n')), [[{ n: 7 }]])
})

test('more of them at once than it keeps all run', async () => {
  const statements = Array.from({ length: 130 }, (_, n) => adHoc(`select ${n} as at_once`))
  const rows = await one.send(...statements)
  assert.deepEqual(
    rows.flat().map((row) => row['at_once']),
    Array.from({ length: 130 }, (_, n) => n),
  )
  assert.deepEqual(await one.send(adHoc('select 0 as at_once')), [[{ at_once: 0 }]])
})

test('rows come as arrays where that is asked for', async () => {
  const statement = { ...adHoc('select 1 as a, 2 as a'), rowMode: 'array' as const }
  for (const _ of ['prepared now', 'prepared before'])
    assert.deepEqual(await one.send(statement), [[[1, 2]]])
})
