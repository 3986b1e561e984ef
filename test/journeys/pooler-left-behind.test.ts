/**
 * Behind a pooler in transaction mode there is one connection of the server for everybody: what ada's
 * SQL leaves on it must not reach grace, whose client connection is another.
 */
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  credentialOf,
  openPeopledDatabase,
  type PeopledDatabase,
  type Person,
} from '../../database/test/people.ts'
import { assertNothingChanges } from '../../database/test/refusals.ts'
import { Secret } from '../../server/src/ground/crypto/secret.ts'
import type { Parameter } from '../../server/src/ground/database/parameter.ts'
import type { Statement } from '../../server/src/ground/database/pipeline.ts'
import { type Database, openDatabase, type Row } from '../../server/src/ground/database/pool.ts'
import { requestTransaction } from '../../server/src/ground/database/request-transaction.ts'
import { readThroughPooler } from '../../server/src/ground/database/shared-connections.ts'
import { createLog } from '../../server/src/ground/log.ts'
import { type PgBouncer, startPgBouncer } from '../harness/pgbouncer.ts'

let db: PeopledDatabase
let pooler: PgBouncer
/** Two nodes, and so two client connections. */
let adas: Database
let graces: Database
before(async () => {
  db = await openPeopledDatabase()
  const name = new URL(db.url).pathname.slice(1)
  await db.owner.query(
    `grant temporary on database ${name} to public;
     alter role cream in database ${name} set statement_timeout = '2s';
     create table public.notes (
       id int, author uuid default pie_schema.current_user_id(), body text,
       constraint notes_late unique (id) deferrable initially deferred
     );
     alter table public.notes enable row level security;
     create policy notes_own on public.notes to webuser
       using (author = (select pie_schema.current_user_id()))
       with check (author = (select pie_schema.current_user_id()));
     create table public.copied (id int);
     grant select, insert on public.notes, public.copied to webuser`,
  )
  pooler = await startPgBouncer(db.url, { default_pool_size: 1 })
  const open = () => {
    const url = Secret.fromText(pooler.through(db.urlOf('cream').revealText()))
    return openDatabase(url, createLog('silent', false), {
      connections: 1,
      poolMode: 'transaction',
    })
  }
  adas = open()
  graces = open()
})
after(async () => {
  await adas.pool.end()
  await graces.pool.end()
  await pooler.stop()
  await db.close()
})

const statement = (text: string, ...values: Parameter[]): Statement => ({
  name: text.slice(0, 60),
  text,
  values,
})
const run = async (database: Database, person: Person, ...work: Statement[]): Promise<Row[]> =>
  (await requestTransaction(database, credentialOf(person), ...work)).at(-1) ?? []

const found = statement(
  `select pie_schema.current_user_id() as user_id, current_user::text as role,
     current_setting('statement_timeout') as statement_timeout, current_setting('search_path') as search_path,
     current_setting('TimeZone') as time_zone, current_setting('row_security') as row_security,
     current_setting('default_transaction_read_only') as read_only,
     current_setting('bytea_output') as bytea_output, current_setting('client_encoding') as client_encoding,
     current_setting('application_name') as application_name,
     nullif(current_setting('my.secret', true), '') as mine,
     (select count(*)::int from pg_cursors where name <> '') as cursors,
     (select count(*)::int from pg_prepared_statements) as prepared,
     (select count(*)::int from pg_locks where pid = pg_backend_pid() and locktype = 'advisory') as locks`,
)
const server = statement('select pg_backend_pid() as pid')

let clean: Row | undefined
beforeEach(async () => {
  const [row] = await run(graces, db.grace, found)
  clean ??= row
  assert.deepEqual(row, clean)
  assert.deepEqual(
    { id: row?.['user_id'], role: row?.['role'], timeout: row?.['statement_timeout'] },
    { id: db.grace.id, role: 'webuser', timeout: '2s' },
  )
})

/** Whether what ada's SQL did was refused is not the question here. */
async function plant(...texts: string[]): Promise<void> {
  for (const text of texts) {
    await run(adas, db.ada, statement(text)).catch((error) => {
      if (error.code === 'ERR_ASSERTION') throw error
    })
  }
}

const left: Record<string, string[]> = {
  'a setting of the session': [`select set_config('my.secret', 'of ada', false)`],
  "an admin's role": ['set role webadmin'],
  'a role taken with a function': [`select set_config('role', 'webuser', false)`],
  'a time limit': [`select set_config('statement_timeout', '1', false)`],
  'a refusal to write': ['set default_transaction_read_only = on'],
  'a form of bytes, a time zone and an encoding': [
    `set bytea_output = 'escape'`,
    `set timezone = 'Pacific/Kiritimati'`,
    `set client_encoding = 'LATIN1'`,
  ],
  'a search path': ['set search_path = pg_temp, public'],
  'row-level security switched off': ['set row_security = off'],
  'the proof of somebody else': [`select set_config('pie.session_proof', '00', false)`],
  'a prepared statement': ['prepare who_am_i as select 1'],
  'a cursor that is held': ['declare kept cursor with hold for select * from public.notes'],
  'advisory locks': ['select pg_advisory_lock(7), pg_advisory_lock_shared(8)'],
  'a temporary table': ['create temp table notes (id int, author uuid, body text)'],
  'a temporary type': ['create domain pg_temp.uuid as text'],
  'a transaction that is open': ['begin'],
  'a transaction that goes on after its end': ['commit and chain'],
  'a transaction that has failed': ['begin', 'select 1 / 0'],
  'a copy in': ['copy public.copied from stdin'],
  'a copy out': ['copy (select 1) to stdout'],
}

for (const [what, texts] of Object.entries(left)) {
  test(`${what} that ada leaves does not reach grace`, async () => {
    await plant(...texts)
    const [row] = await run(graces, db.grace, found)
    assert.deepEqual(row, clean)
    await run(graces, db.grace, statement('insert into notes (body) values ($1)', 'dear diary'))
    const { rows } = await db.owner.query('delete from public.notes returning author, body')
    assert.deepEqual(rows, [{ author: db.grace.id, body: 'dear diary' }])
  })
}

test('what is left reaches neither the reads of Pie itself nor what runs without a session', async () => {
  const reads = readThroughPooler(graces)
  for (const texts of Object.values(left)) {
    await plant(...texts)
    const { id, proof } = db.grace.session
    const [row] = await reads.read(statement('select pie_private.read_me($1, $2) as me', id, proof))
    assert.equal(row?.['me']?.email, db.grace.email)
    await plant(...texts)
    const [[bare] = []] = await graces.send(
      statement(
        `select current_user::text as role, nullif(current_setting('pie.session_id', true), '') as id`,
      ),
    )
    assert.deepEqual(bare, { role: 'cream', id: null })
  }
})

describe('a request that ends badly leaves nothing for the next:', () => {
  const write = statement('insert into public.notes (id, body) values (1, $1)', 'kept?')
  const ends: Record<string, { work: Statement[]; code: string }> = {
    'an error': { work: [write, statement('select 1 / 0')], code: '22012' },
    'a commit that fails': { work: [write, write], code: '23505' },
    'a time limit': { work: [write, statement('select pg_sleep(20)')], code: 'timeout' },
  }
  for (const [what, { work, code }] of Object.entries(ends)) {
    test(what, async () => {
      await assertNothingChanges(db.owner, () =>
        assert.rejects(run(adas, db.ada, ...work), { code }),
      )
      assert.deepEqual(await run(graces, db.grace, found), [clean])
      assert.deepEqual(await db.owner.query('select from public.notes').then((r) => r.rows), [])
    })
  }

  /** What is done to the connection of a request that is in the middle of its work. */
  const interruptions: Record<string, { interrupt(pid: number): unknown; code: string }> = {
    'a statement that is cancelled': {
      interrupt: (pid) => db.owner.query('select pg_cancel_backend($1)', [pid]),
      code: 'timeout',
    },
    'a connection of the server that is ended': {
      interrupt: (pid) => db.owner.query('select pg_terminate_backend($1)', [pid]),
      code: 'database_unavailable',
    },
    'a client that is cut off': {
      interrupt: () => {
        // biome-ignore lint/suspicious/noExplicitAny: pg names none of this
        for (const client of (adas.pool as any)._clients) client.connection.stream.destroy()
      },
      code: 'database_unavailable',
    },
  }
  for (const [what, { interrupt, code }] of Object.entries(interruptions)) {
    test(what, async () => {
      const patient = statement(`select set_config('statement_timeout', '120s', true)`)
      const working = run(adas, db.ada, write, patient, statement('select pg_sleep(60)'))
      const refused = assert.rejects(working, { code })
      let pid = 0
      while (pid === 0) {
        const { rows } = await db.owner.query(
          `select pid from pg_stat_activity
           where usename = 'cream' and datname = current_database() and query like '%pg_sleep%' and state = 'active'`,
        )
        pid = rows[0]?.pid ?? 0
      }
      await interrupt(pid)
      await refused
      assert.deepEqual(await run(graces, db.grace, found), [clean])
      assert.deepEqual((await db.owner.query('select from public.notes')).rows, [])
    })
  }
})

test('what ada listens to is listened to until the end of the next request, which hears nothing of it', async () => {
  const channels = statement('select * from pg_listening_channels()')
  await plant('listen loot')
  await run(graces, db.grace, server)
  assert.deepEqual(await run(graces, db.grace, channels), [])
})

test('the statements of one request share a connection of the server and a transaction, however many ask', async () => {
  const many = await startPgBouncer(db.url, { default_pool_size: 2 })
  const url = Secret.fromText(many.through(db.urlOf('cream').revealText()))
  const requests = openDatabase(url, createLog('silent', false), {
    connections: 20,
    poolMode: 'transaction',
  })
  const people = [db.ada, db.grace, db.dorothy]
  const look = statement(
    'select pg_backend_pid() as pid, txid_current()::text as tx, pie_schema.current_user_id() as id',
  )
  try {
    const answers = await Promise.all(
      Array.from({ length: 600 }, async (_, turn) => {
        const person = people[turn % 3] as Person
        const failing = turn % 7 === 0 ? [statement('select 1 / 0')] : []
        const work = requestTransaction(
          requests,
          credentialOf(person),
          look,
          statement('select pg_sleep(0.001)'),
          look,
          ...failing,
        )
        if (failing.length > 0) return void (await assert.rejects(work, { code: '22012' }))
        const [first, , last] = await work
        assert.deepEqual(first, last)
        assert.equal(first?.[0]?.['id'], person.id)
        return first?.[0]?.['pid']
      }),
    )
    assert.equal(new Set(answers.filter((pid) => pid !== undefined)).size, 2)
  } finally {
    await requests.pool.end()
    await many.stop()
  }
})

test('a connection of the server that stays unclean is ended, and no request is refused for it', async () => {
  const [before] = await run(graces, db.grace, server)
  await plant('create temp table left_behind (id int)')
  const [next] = await run(graces, db.grace, server)
  assert.notEqual(next?.['pid'], before?.['pid'])
})
