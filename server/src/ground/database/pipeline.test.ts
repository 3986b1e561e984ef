import assert from 'node:assert/strict'
import { type AddressInfo, connect, createServer } from 'node:net'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { cloneDatabase, type TestDatabase } from '../../../../test/harness/cluster.ts'
import { Secret } from '../crypto/secret.ts'
import { createLog } from '../log.ts'
import type { Parameter } from './parameter.ts'
import type { Statement } from './pipeline.ts'
import { type Database, openDatabase, type Row } from './pool.ts'

let clone: TestDatabase
let one: Database
let many: Database
const open = (connections: number, url = clone.url) =>
  openDatabase(Secret.fromText(url), createLog('silent', false), { connections })
before(async () => {
  clone = await cloneDatabase()
  one = open(1)
  many = open(6)
  await one.send(statement('create table public.notes (id int primary key, body text)'))
})
after(async () => {
  await one.pool.end()
  await many.pool.end()
  await clone.drop()
})

const statement = (text: string, ...values: Parameter[]): Statement => ({
  name: text.slice(0, 63),
  text,
  values,
})
const insert = (id: number) => statement('insert into public.notes (id) values ($1)', id)
const countNotes = async (): Promise<number> =>
  (await one.send(statement('select count(*)::int as count from public.notes')))[0]?.[0]?.['count']

const failures: Record<string, { statement: Statement; code: string }> = {
  parse: { statement: statement('selct 1'), code: '42601' },
  'parse, for want of a table': { statement: statement('select * from nowhere'), code: '42P01' },
  bind: { statement: statement('select $1::int as n', 'x'), code: '22P02' },
  'bind, for a parameter too few': {
    statement: statement('select $1::text, $2::text', 'x'),
    code: '08P01',
  },
  execute: { statement: statement('select 1 / (1 - $1::int)', 1), code: '22012' },
  'execute, after some rows': {
    statement: statement('select 1 / (3 - n) from generate_series(1, $1::int) as n', 5),
    code: '22012',
  },
}

for (const [stage, { statement: failing, code }] of Object.entries(failures)) {
  test(`an error in ${stage} keeps nothing, wherever it stands, and the connection works on`, async () => {
    for (const place of [0, 1, 2, 3]) {
      const pipeline = [insert(1), insert(2), insert(3)].toSpliced(place, 0, failing)
      for (const round of ['first use', 'second use']) {
        await assert.rejects(
          one.send(...pipeline),
          (error) => error instanceof pg.DatabaseError && error.code === code,
          `${place} ${round}`,
        )
        assert.equal(await countNotes(), 0)
      }
    }
    assert.equal(one.pool.totalCount, 1)
  })
}

test('a statement that failed works at its next use, with the same name on the same connection', async () => {
  const divide = (by: number) => statement('select 12 / $1::int as quotient', by)
  const pid = statement('select pg_backend_pid() as pid')
  const [[before] = []] = await one.send(pid)
  for (const by of [0, 3, 0, 0, 4]) {
    if (by === 0) await assert.rejects(one.send(divide(by)), { code: '22012' })
    else assert.deepEqual(await one.send(divide(by)), [[{ quotient: 12 / by }]])
  }
  assert.deepEqual(await one.send(pid), [[before]])
})

test('each statement has its own rows, the same statement twice too, and one without rows has none', async () => {
  for (let round = 0; round < 3; round++) {
    const answers = await one.send(
      statement('select $1::int as n', 1),
      statement('select generate_series(1, 0) as none'),
      statement('select $1::int as n', 2),
      insert(round),
      statement('update public.notes set body = $1 returning body', 'x'),
      statement(''),
      statement('delete from public.notes'),
    )
    assert.deepEqual(answers, [[{ n: 1 }], [], [{ n: 2 }], [], [{ body: 'x' }], [], []])
  }
  assert.deepEqual(await one.send(), [])
})

const roundTrip = async (type: string, value: Parameter): Promise<unknown> =>
  (await one.send(statement(`select $1::${type} as value`, value)))[0]?.[0]?.['value']

test('texts, bytes, numbers, dates and null come back as they were sent', async () => {
  const texts = ['', 'NULL', 'null', `"'\\\n\r\t{},`, '{a,b}', '🥧 é \u0301', '\\x00', ' a ', '$1']
  for (const text of texts) assert.equal(await roundTrip('text', text), text)
  for (const bytes of [Buffer.alloc(0), Buffer.from([0, 255, 92, 34, 39]), Buffer.alloc(300, 7)])
    assert.deepEqual(await roundTrip('bytea', bytes), bytes)
  for (const type of ['text', 'bytea', 'int', 'timestamptz', 'text[]'])
    assert.equal(await roundTrip(type, null), null)
  const date = new Date('2026-02-28T23:59:59.987Z')
  assert.deepEqual(await roundTrip('timestamptz', date), date)
  assert.equal(await roundTrip('int', -7), -7)
  assert.equal(await roundTrip('float8', 1e-7), 1e-7)
  assert.equal(await roundTrip('bool', false), false)
})

test('arrays come back as they were sent: no element ends the array, splits, or reads as null', async () => {
  const texts = ['NULL', '', '"', '\\', '\\"', '{', '}', ',', '{a,"b"}', ' ', '\n', "'", '🥧']
  assert.deepEqual(await roundTrip('text[]', texts), texts)
  assert.deepEqual(await roundTrip('text[]', []), [])
  const bytes = [Buffer.from([0, 92, 34]), Buffer.alloc(0), Buffer.from('NULL')]
  assert.deepEqual(await roundTrip('bytea[]', bytes), bytes)
  assert.deepEqual(await roundTrip('int[]', ['1', '-2']), [1, -2])
})

test('text that Postgres cannot hold is refused, and nothing else happens', async () => {
  await assert.rejects(roundTrip('text', 'a\0b'), { code: '22021' })
  await assert.rejects(roundTrip('text[]', ['a\0b']), { code: '22021' })
  assert.equal(await countNotes(), 0)
})

test('a value of 1 MB, and 2,000 rows, go through in one piece', async () => {
  const megabyte = '\\"é'.repeat(250_000)
  assert.ok((await roundTrip('text', megabyte)) === megabyte)
  assert.deepEqual(await roundTrip('text[]', [megabyte, 'x']), [megabyte, 'x'])
  const rows = statement(
    'select n, repeat($1, 500) as filler from generate_series(1, 2000) as n',
    'x',
  )
  for (let round = 0; round < 2; round++) {
    const [first = [], second = []] = (await one.send(rows, rows)) as [Row[], Row[]]
    assert.deepEqual([first.length, second.length], [2000, 2000])
    assert.ok(second.every((row, index) => row['n'] === index + 1))
  }
})

test('a value that is no date is the mistake of whoever sends it, not of the database', async () => {
  await assert.rejects(
    one.send(statement('select $1::timestamptz', new Date(Number.NaN))),
    RangeError,
  )
  assert.equal(await countNotes(), 0)
})

test('of many at once each gets its own answer, those that fail among them', async () => {
  const answers = await Promise.all(
    Array.from({ length: 400 }, (_, n) =>
      many
        .send(
          statement('select $1::int as n', n),
          statement('select 1 / (case when $1::int % 5 = 0 then 0 else 1 end) as one', n),
          statement('select $1::text as text', `number ${n}`),
        )
        .catch(({ code }) => code),
    ),
  )
  for (const [n, answer] of answers.entries()) {
    const expected = n % 5 === 0 ? '22012' : [[{ n }], [{ one: 1 }], [{ text: `number ${n}` }]]
    assert.deepEqual(answer, expected)
  }
  assert.ok(many.pool.totalCount <= 6)
})

test('a table that changes between two uses costs one failed use at most, and the new columns come', async () => {
  const read = statement('select * from public.changing')
  await one.send(statement('create table public.changing as select 1 as a'))
  assert.deepEqual(await one.send(read), [[{ a: 1 }]])
  await many.send(statement(`alter table public.changing add column b text default 'b'`))
  await one.send(read).catch(({ code }) => assert.equal(code, '0A000'))
  assert.deepEqual(await one.send(read), [[{ a: 1, b: 'b' }]])
  await many.send(statement('alter table public.changing drop column a'))
  await one.send(read).catch(({ code }) => assert.equal(code, '0A000'))
  assert.deepEqual(await one.send(statement('select 1 as n'), read), [[{ n: 1 }], [{ b: 'b' }]])
})

test('a pipeline is one round trip with one Sync, at its first use and at every other', async () => {
  const { hostname, port } = new URL(clone.url)
  let turns = 0
  let syncs = 0
  let isClientsTurn = false
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname)
    client.on('data', (data: Buffer) => {
      if (!isClientsTurn) turns += 1
      isClientsTurn = true
      syncs += data.toString('latin1').split('S\0\0\0\x04').length - 1
      server.write(data)
    })
    server.on('data', (data: Buffer) => {
      isClientsTurn = false
      client.write(data)
    })
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const through = new URL(clone.url)
  through.port = String((proxy.address() as AddressInfo).port)
  const counted = open(1, through.href)
  await counted.send(statement('select 0'))
  for (let round = 0; round < 3; round++) {
    turns = 0
    syncs = 0
    const pipeline = [1, 2, 3, 4].map((n) => statement(`select ${n} as n, $1::text as t`, 'x'))
    assert.equal((await counted.send(...pipeline)).length, 4)
    assert.deepEqual({ turns, syncs }, { turns: 1, syncs: 1 })
  }
  await counted.pool.end()
  proxy.close()
})
