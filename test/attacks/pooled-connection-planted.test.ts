import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  credentialOf,
  openPeopledDatabase,
  type PeopledDatabase,
  type Person,
} from '../../database/test/people.ts'
import type { Statement } from '../../server/src/ground/database/pipeline.ts'
import type { Database, Row } from '../../server/src/ground/database/pool.ts'
import { requestTransaction } from '../../server/src/ground/database/request-transaction.ts'

/**
 * Ada's SQL leaves something behind on the connection for whoever comes next. There is one connection:
 * grace's request either finds it clean, or gets another.
 */
let db: PeopledDatabase
let requests: Database
before(async () => {
  db = await openPeopledDatabase()
  const name = new URL(db.url).pathname.slice(1)
  await db.owner.query(
    `grant temporary on database ${name} to public;
     create function public.search(query text) returns void language plpgsql as $$ begin execute query; end $$;
     create table public.notes (author uuid, body text);
     grant select, insert on public.notes to webuser`,
  )
})
after(() => db.close())
beforeEach(async () => {
  await requests?.pool.end()
  requests = db.openRequests(1)
  // Both have been here before: what is prepared is prepared.
  for (const person of [db.ada, db.grace]) await run(person, whoAmI)
})

const statement = (name: string, text: string): Statement => ({ name, text, values: [] })
const whoAmI = statement('who_am_i', 'select pie_schema.current_user_id() as id')

/** A request that is not answered within a minute has failed. */
async function run(person: Person, ...work: Statement[]): Promise<Row[]> {
  const answer = requestTransaction(requests, credentialOf(person), ...work)
  const late = Symbol('late')
  const patience = new AbortController()
  const first = await Promise.race([
    answer,
    sleep(60_000, late, { signal: patience.signal }),
  ]).finally(() => patience.abort())
  if (first !== late) return first.at(-1) ?? []
  // biome-ignore lint/suspicious/noExplicitAny: pg names none of this
  for (const client of (requests.pool as any)._clients) client.connection.stream.destroy()
  await answer.catch(() => {})
  assert.fail('the request was not answered')
}

/** Ada's injected statements, one request each; whether they are refused is not the question here. */
async function plant(...texts: string[]): Promise<void> {
  for (const [index, text] of texts.entries()) {
    await run(db.ada, statement(`planted_${index}`, text)).catch((error) => {
      if (error.code === 'ERR_ASSERTION') throw error
    })
  }
}

async function assertGraceIsServed(): Promise<void> {
  assert.deepEqual(await run(db.grace, whoAmI), [{ id: db.grace.id }])
  assert.deepEqual(await run(db.grace, whoAmI), [{ id: db.grace.id }])
}

const settings = {
  'a role': `select set_config('role', 'webuser', false)`,
  "an admin's role": 'set role webadmin',
  'a time limit': `select set_config('statement_timeout', '1', false)`,
  'a refusal to write': `select set_config('default_transaction_read_only', 'on', false)`,
  'a form of bytes': `select set_config('bytea_output', 'escape', false)`,
  'a time zone': `select set_config('TimeZone', 'Pacific/Kiritimati', false)`,
  'a search path': `select set_config('search_path', 'pg_temp', false)`,
  'row-level security switched off': `select set_config('row_security', 'off', false)`,
  'a session that is nobody': `select set_config('pie.session_id', 'nobody', false)`,
}

for (const [what, text] of Object.entries(settings)) {
  test(`${what} that ada sets for the connection does not reach grace`, async () => {
    const names = [
      'TimeZone',
      'bytea_output',
      'default_transaction_read_only',
      'row_security',
      'search_path',
      'statement_timeout',
    ]
    const read = statement(
      'read_settings',
      `select ${names.map((name) => `current_setting('${name}') as "${name}"`)}`,
    )
    const before = await run(db.grace, read)
    await plant(text)
    await assertGraceIsServed()
    assert.deepEqual(await run(db.grace, read), before)
  })
}

test('a transaction that ada begins and does not end is not the one that grace works in', async () => {
  for (const text of ['begin', 'savepoint s', 'start transaction read only', 'commit and chain']) {
    await plant(text)
    await assertGraceIsServed()
  }
})

test('statements that ada takes from the connection are prepared again', async () => {
  for (const text of ['deallocate all', 'discard all', 'deallocate authenticate']) {
    await plant(text)
    await assertGraceIsServed()
  }
})

const keep = `set_config('loot.kept', coalesce(current_setting('loot.kept', true), '') || ',' ||`

async function assertNoLoot(): Promise<void> {
  // What ada reads back must not depend on the statement that she replaced.
  for (let attempt = 0; attempt < 2; attempt++) {
    const rows = await run(
      db.ada,
      statement(`loot_${attempt}`, `select current_setting('loot.kept', true) as loot`),
    ).catch(() => [])
    const loot = JSON.stringify(rows)
    assert.ok(!loot.includes(db.grace.session.proof.toString('hex')), loot)
  }
}

test("a statement that ada prepares in authenticate's place does not get grace's proof", async () => {
  await plant(
    `do $do$ begin
       execute 'deallocate authenticate';
       execute $p$ prepare authenticate (uuid, bytea) as select ${keep} encode($2, 'hex'), false) $p$;
     end $do$`,
  )
  await run(db.grace, whoAmI).catch(() => {})
  await assertNoLoot()
  await assertGraceIsServed()
})

test("a statement that ada prepares in place of the work's does not read grace's proof", async () => {
  await plant(
    `do $do$ begin
       execute 'deallocate who_am_i';
       execute $p$ prepare who_am_i as select ${keep} current_setting('pie.session_proof'), false) as id $p$;
     end $do$`,
  )
  await run(db.grace, whoAmI).catch(() => {})
  await assertNoLoot()
  await assertGraceIsServed()
})

test("a function of the application that runs ada's text lends her no statement of the connection", async () => {
  await plant(
    `select public.search($text$ deallocate authenticate;
       prepare authenticate (uuid, bytea) as select ${keep} encode($2, 'hex'), false) $text$)`,
  )
  await run(db.grace, whoAmI).catch(() => {})
  await assertNoLoot()
  await assertGraceIsServed()
})

test("a temporary table in the place of an application's does not get what grace writes", async () => {
  await plant(
    'create temp table notes (author uuid, body text)',
    `create function pg_temp.spy() returns trigger language plpgsql as
       $$ begin perform ${keep} current_setting('pie.session_proof'), false); return new; end $$`,
    'create trigger spy before insert on notes for each row execute function pg_temp.spy()',
  )
  await run(
    db.grace,
    statement(
      'write_note',
      `insert into notes (author, body) values (pie_schema.current_user_id(), 'dear diary')`,
    ),
  )
  await assertNoLoot()
  const { rows } = await db.owner.query('delete from public.notes returning author')
  assert.deepEqual(rows, [{ author: db.grace.id }])
})

test('a copy that ada begins ends with her request', async () => {
  await plant('copy public.notes from stdin', 'copy (select 1) to stdout')
  await assertGraceIsServed()
})

test('what ada listens to for the connection ends with her request', async () => {
  const listening = statement('listening', 'select * from pg_listening_channels()')
  await plant('listen loot')
  await assertGraceIsServed()
  assert.deepEqual(await run(db.grace, listening), [])
})
