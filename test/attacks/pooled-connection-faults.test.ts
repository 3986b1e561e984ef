import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import type { Parameter } from '../../server/src/ground/database/parameter.ts'
import type { Statement } from '../../server/src/ground/database/pipeline.ts'
import { type Database, openDatabase } from '../../server/src/ground/database/pool.ts'
import { Refusal } from '../../server/src/ground/errors.ts'
import { createLog } from '../../server/src/ground/log.ts'
import { cloneDatabase, type TestDatabase } from '../harness/cluster.ts'

let clone: TestDatabase
let one: Database
let other: Database
const open = (url = clone.url) =>
  openDatabase(Secret.fromText(url), createLog('silent', false), { connections: 1 })
before(async () => {
  clone = await cloneDatabase()
  one = open()
  other = open()
  await one.send(statement('create table public.notes (id int primary key)'))
})
after(async () => {
  await one.pool.end()
  await other.pool.end()
  await clone.drop()
})

const statement = (text: string, ...values: Parameter[]): Statement => ({
  name: text.slice(0, 63),
  text,
  values,
})
const insert = (id: number) => statement('insert into public.notes (id) values ($1)', id)
const countNotes = async (): Promise<number> =>
  (await other.send(statement('select count(*)::int as count from public.notes')))[0]?.[0]?.[
    'count'
  ]

test('a copy is refused wherever it stands, and the next request is answered', async () => {
  const copyIn = statement('copy public.notes from stdin')
  const copyOut = statement('copy (select 1) to stdout')
  for (const pipeline of [
    [copyIn, insert(1)],
    [insert(1), copyIn],
    [copyOut, statement('select 1 / 0')],
  ]) {
    const once = open()
    await assert.rejects(once.send(...pipeline))
    const late = new AbortController()
    const answer = await Promise.race([
      once.send(statement('select 1 as n')),
      sleep(60_000, 'no answer', { signal: late.signal }),
    ])
    late.abort()
    assert.deepEqual(answer, [[{ n: 1 }]])
    assert.equal(await countNotes(), 0)
    await once.pool.end()
  }
})

test('a statement that takes too long is a refusal that says so, and keeps nothing', async () => {
  const brief = open(`${clone.url}?options=-c%20statement_timeout%3D1000`)
  await assert.rejects(
    brief.send(insert(1), statement('select pg_sleep(60)')),
    (error) =>
      error instanceof Refusal && error.code === 'timeout' && error.retryAfterSeconds === 2,
  )
  assert.deepEqual(await brief.send(statement('select 1 as n')), [[{ n: 1 }]])
  assert.equal(await countNotes(), 0)
  await brief.pool.end()
})

test('a connection that is ended in the middle is a refusal, and the pool opens another', async () => {
  const pid = statement('select pg_backend_pid() as pid')
  const [[before] = []] = await one.send(pid)
  const unavailable = (error: unknown) =>
    error instanceof Refusal &&
    error.code === 'database_unavailable' &&
    error.retryAfterSeconds === 2
  const sleeping = one.send(insert(1), statement('select pg_sleep(30)'), insert(2))
  const refused = assert.rejects(sleeping, unavailable)
  for (let isEnded = false; !isEnded; ) {
    const [rows = []] = await other.send(
      statement(
        `select pg_terminate_backend(pid) as done from pg_stat_activity where pid = $1 and query like '%sleep%'`,
        before?.['pid'],
      ),
    )
    isEnded = rows[0]?.['done'] === true
  }
  await refused
  const [[next] = []] = await one.send(pid)
  assert.notEqual(next?.['pid'], before?.['pid'])
  assert.equal(await countNotes(), 0)

  // The same while it is idle, without an unhandled error.
  await other.send(statement('select pg_terminate_backend($1)', next?.['pid']))
  const later = await one.send(pid).catch((error) => assert.ok(unavailable(error)))
  assert.notDeepEqual(later ?? (await one.send(pid)), [[next]])
})

test('a database that cannot be reached is a refusal', async () => {
  const away = new URL(clone.url)
  away.port = '1'
  const nowhere = open(away.href)
  await assert.rejects(nowhere.send(statement('select 1')), { code: 'database_unavailable' })
  await nowhere.pool.end()
})
