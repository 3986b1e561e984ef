/** `withSession` on a pool of the application's own, which goes through a pooler in transaction mode. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import {
  credentialOf,
  openPeopledDatabase,
  type PeopledDatabase,
  type Person,
} from '../../database/test/people.ts'
import { assertNothingChanges } from '../../database/test/refusals.ts'
import { queryWithSession } from '../../server/src/ground/database/query-with-session.ts'
import {
  type SessionTransaction,
  withSession,
} from '../../server/src/ground/database/with-session.ts'
import { type PgBouncer, startPgBouncer } from '../harness/pgbouncer.ts'

let db: PeopledDatabase
let pooler: PgBouncer
let pool: pg.Pool
before(async () => {
  db = await openPeopledDatabase()
  const name = new URL(db.url).pathname.slice(1)
  await db.owner.query(
    `grant temporary on database ${name} to public;
     create table public.notes (author uuid default pie_schema.current_user_id(), body text);
     grant select, insert on public.notes to webuser`,
  )
  pooler = await startPgBouncer(db.url)
  const connectionString = pooler.through(db.urlOf('cream').revealText())
  pool = new pg.Pool({ connectionString, max: 10 })
  pool.on('error', () => {})
})
after(async () => {
  await pool.end()
  await pooler.stop()
  await db.close()
})

const look = {
  name: 'look',
  text: `select pg_backend_pid() as pid, pie_schema.current_user_id() as id, current_user::text as role,
           nullif(current_setting('my.secret', true), '') as secret`,
}

test('hundreds of transactions over two connections of the server never see one another', async () => {
  const people = [db.ada, db.grace, db.dorothy]
  const pids = await Promise.all(
    Array.from({ length: 300 }, async (_, turn) => {
      const person = people[turn % 3] as Person
      return withSession(pool, credentialOf(person), async (transaction) => {
        const { rows: first } = await transaction.query(look)
        // Named, as query builders do: prepared on whichever connection of the server it is.
        const { rows: second } = await transaction.query(look)
        assert.deepEqual(first, second)
        const { pid, ...found } = first[0]
        const role = person === db.dorothy ? 'webadmin' : 'webuser'
        assert.deepEqual(found, { id: person.id, role, secret: null })
        if (turn % 5 === 0) await transaction.query(`select set_config('my.secret', 'x', false)`)
        if (turn % 7 === 0) await transaction.query(`prepare mine_${turn} as select 1`)
        return pid
      })
    }),
  )
  assert.equal(new Set(pids).size, 2)
})

test('work that fails keeps nothing, and the next is served', async () => {
  const fails = (error: RegExp | object, fail: (tx: SessionTransaction) => unknown) =>
    assertNothingChanges(db.owner, () =>
      assert.rejects(
        withSession(pool, credentialOf(db.ada), async (transaction) => {
          await transaction.query(`insert into public.notes (body) values ('lost')`)
          await fail(transaction)
        }),
        error,
      ),
    )
  await fails(/changed her mind/, () => {
    throw new Error('she has changed her mind')
  })
  await fails({ code: '22012' }, (transaction) => transaction.query('select 1 / 0'))
  assert.deepEqual((await db.owner.query('select from public.notes')).rows, [])
  await withSession(pool, credentialOf(db.grace), (transaction) =>
    transaction.query(`insert into public.notes (body) values ('kept')`),
  )
  const { rows } = await db.owner.query('select author, body from public.notes')
  assert.deepEqual(rows, [{ author: db.grace.id, body: 'kept' }])
})

test('a session that is refused keeps no connection of the server', async () => {
  const stranger = { ...credentialOf(db.ada), proofs: [Buffer.alloc(32)] }
  for (let turn = 0; turn < 20; turn += 1) {
    await assert.rejects(
      withSession(pool, stranger, (transaction) => transaction.query('select 1')),
      { code: 'unauthenticated' },
    )
  }
  const { rows } = await withSession(pool, credentialOf(db.grace), (tx) => tx.query(look))
  assert.equal(rows[0]?.id, db.grace.id)
})

test('a temporary table of one transaction stands before no table of the next', async () => {
  for (let turn = 0; turn < 4; turn += 1) {
    await withSession(pool, credentialOf(db.ada), (transaction) =>
      transaction.query('create temp table notes (author uuid, body text)'),
    )
    const { rows } = await withSession(pool, credentialOf(db.grace), (transaction) =>
      transaction.query(
        `select 'notes'::regclass::oid = 'public.notes'::regclass::oid as is_public`,
      ),
    )
    assert.deepEqual(rows, [{ is_public: true }])
  }
})

test('nor of the next single query, however often one is left', async () => {
  for (let turn = 0; turn < 4; turn += 1) {
    await queryWithSession(
      pool,
      credentialOf(db.ada),
      'create temp table notes (author uuid, body text)',
    )
    const { rows } = await queryWithSession(
      pool,
      credentialOf(db.grace),
      `select 'notes'::regclass::oid = 'public.notes'::regclass::oid as is_public`,
    )
    assert.deepEqual(rows, [{ is_public: true }])
  }
})
