/** What Postgres has kept nothing of, for a reason that may be gone, is sent again. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { cloneDatabase, type TestDatabase } from '../../../../test/harness/cluster.ts'
import { Secret } from '../crypto/secret.ts'
import { createLog } from '../log.ts'
import { type Database, openDatabase } from './pool.ts'
import { openSharedConnections, type SharedConnections } from './shared-connections.ts'

let clone: TestDatabase
let owner: pg.Client
let database: Database
let shared: SharedConnections
before(async () => {
  clone = await cloneDatabase()
  owner = new pg.Client({ connectionString: clone.url })
  await owner.connect()
  await owner.query(`
    create table public.notes (body text);
    create table public.tags (name text);
    create sequence public.tries;
    -- A sequence goes on whatever becomes of the transaction.
    create function public.fail(code text, times bigint) returns bigint language plpgsql as $$
    declare tried bigint := nextval('public.tries');
    begin
      if tried <= times then raise exception 'not yet' using errcode = code; end if;
      return tried;
    end $$`)
  const log = createLog('silent', false)
  database = openDatabase(Secret.fromText(clone.url), log, { connections: 2 })
  shared = openSharedConnections(Secret.fromText(clone.url), log)
})
after(async () => {
  await shared?.close()
  await database?.pool.end()
  await owner?.end()
  await clone?.drop()
})

const insert = { name: 'insert', text: `insert into public.notes values ('x')`, values: [] }
const readNotes = { name: 'notes', text: 'select * from public.notes limit 1', values: [] }
const readTags = { name: 'tags', text: 'select * from public.tags limit 1', values: [] }

async function countNotes(): Promise<number> {
  const { rows } = await owner.query('select count(*)::integer as count from public.notes')
  return rows[0].count
}

test('statements that were prepared before their tables changed are prepared anew, and done once', async () => {
  // Two connections, both of which have them.
  const all = () => database.send(insert, readNotes, readTags)
  await Promise.all([all(), all()])
  const before = await countNotes()
  await owner.query('alter table public.notes add column n integer default 7')
  await owner.query('alter table public.tags add column n integer')
  const answers = await Promise.all([all(), all()])
  for (const [, notes] of answers) assert.deepEqual(notes, [{ body: 'x', n: 7 }])
  assert.equal(await countNotes(), before + 2)
  assert.deepEqual((await all())[1], [{ body: 'x', n: 7 }])
})

test('so are reads that share a connection, of many at once', async () => {
  const read = { name: 'shared', text: 'select * from public.notes limit 1', values: [] }
  await Promise.all([shared.read(read), shared.read(read)])
  await owner.query('alter table public.notes add column m integer default 8')
  const answers = await Promise.all(Array.from({ length: 50 }, () => shared.read(read)))
  for (const rows of answers) assert.deepEqual(rows, [{ body: 'x', n: 7, m: 8 }])
})

test('what refuses every time is told as it is, and tried twice', async () => {
  await owner.query('alter sequence public.tries restart')
  const refused = { name: '', text: `select public.fail('0A000', 100)`, values: [] }
  await assert.rejects(database.send(insert, refused), { code: '0A000' })
  assert.equal(
    (await owner.query('select last_value::integer as n from public.tries')).rows[0].n,
    2,
  )
})

for (const code of ['40001', '40P01']) {
  test(`a transaction that has met another (${code}) is sent again, and done once`, async () => {
    await owner.query('alter sequence public.tries restart')
    const before = await countNotes()
    const [, rows] = await database.send(insert, {
      name: 'conflict',
      text: 'select public.fail($1, 2)::integer as tried',
      values: [code],
    })
    assert.deepEqual(rows, [{ tried: 3 }])
    assert.equal(await countNotes(), before + 1)
  })
}

test('one that meets others again and again is told so, with nothing done', async () => {
  await owner.query('alter sequence public.tries restart')
  const before = await countNotes()
  const conflict = { name: '', text: `select public.fail('40001', 100)`, values: [] }
  await assert.rejects(database.send(insert, conflict), { code: '40001' })
  assert.equal(await countNotes(), before)
})

for (const [code, refusal] of Object.entries({
  '53100': 'database_unavailable',
  '53300': 'database_unavailable',
  '57014': 'timeout',
  '55P03': 'timeout',
})) {
  test(`SQLSTATE ${code} is ${refusal}, and the next request is served`, async () => {
    await owner.query('alter sequence public.tries restart')
    const failing = { name: '', text: `select public.fail('${code}', 1)`, values: [] }
    await assert.rejects(database.send(failing), { code: refusal, retryAfterSeconds: 2 })
    assert.deepEqual(await database.send({ name: '', text: 'select 1 as one', values: [] }), [
      [{ one: 1 }],
    ])
  })
}

test('25006 that SQL raises for reasons of its own is told as it is, and nobody else loses a connection', async () => {
  await owner.query('alter sequence public.tries restart')
  const pids = () =>
    database.send({ name: 'pid', text: 'select pg_backend_pid() as pid', values: [] })
  const before = await pids()
  const failing = { name: '', text: `select public.fail('25006', 1)`, values: [] }
  const slow = database.send(insert, { name: '', text: 'select pg_sleep(0.2)', values: [] })
  await assert.rejects(database.send(failing), { code: '25006' })
  await slow
  assert.deepEqual(await pids(), before)
})

test('under a server that takes no changes any more, what has been kept is told so', async () => {
  const count = await countNotes()
  const slow = database.send(insert, { name: '', text: 'select pg_sleep(0.3)', values: [] })
  const readOnly = {
    name: '',
    text: `select set_config('transaction_read_only', 'on', true), public.fail('25006', 100)`,
    values: [],
  }
  await database.send(readOnly).catch(() => {})
  await slow
  assert.equal(await countNotes(), count + 1)
})
