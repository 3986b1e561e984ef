import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import {
  credentialOf,
  guessedProof,
  openPeopledDatabase,
  type PeopledDatabase,
} from '../../../../database/test/people.ts'
import { assertNothingChanges } from '../../../../database/test/refusals.ts'
import { startTcpProxy, type TcpProxy } from '../../../../test/harness/tcp-proxy.ts'
import { Refusal } from '../errors.ts'
import { queryWithSession } from './query-with-session.ts'

let db: PeopledDatabase
let proxy: TcpProxy
/** One connection, so that whatever is left on it meets the next. */
let pool: pg.Pool
const sent: string[] = []
before(async () => {
  db = await openPeopledDatabase()
  await db.owner.query(
    `create table public.notes (
       author uuid default pie_schema.current_user_id(),
       body text,
       constraint once unique (body) deferrable initially deferred
     );
     grant select, insert on public.notes to webuser`,
  )
  proxy = await startTcpProxy(db.url, (text) => void sent.push(text))
  pool = new pg.Pool({ connectionString: proxy.through(db.urlOf('cream').revealText()), max: 1 })
  pool.on('error', () => {})
})
after(async () => {
  await pool?.end()
  await proxy?.close()
  await db?.close()
})

const asAda = (text: string, values?: unknown[]) =>
  queryWithSession(pool, credentialOf(db.ada), text, values)
const write = (body: string) => asAda('insert into public.notes (body) values ($1)', [body])
const whoIs = 'select pie_schema.current_user_id() as id, current_user::text as role'
const code = (wanted: string) => (error: unknown) =>
  (error instanceof Refusal || error instanceof pg.DatabaseError) && error.code === wanted

/** The next user of the connection is who they are, and nothing more. */
async function assertConnectionIsClean(): Promise<void> {
  const { rows } = await queryWithSession(pool, credentialOf(db.grace), whoIs)
  assert.deepEqual(rows, [{ id: db.grace.id, role: 'webuser' }])
  const left = await pool.query(
    `select current_user::text as role, coalesce(current_setting('pie.session_id', true), '') as session`,
  )
  assert.deepEqual(left.rows, [{ role: 'cream', session: '' }])
}

test('it is the session’s, is kept, and is all in one round trip', async () => {
  await asAda(whoIs)
  sent.length = 0
  const { rowCount, command } = await write('kept')
  assert.deepEqual([rowCount, command, sent.length], [1, 'INSERT', 1])
  const { rows } = await db.owner.query('select author from public.notes')
  assert.deepEqual(rows, [{ author: db.ada.id }])
  await assertConnectionIsClean()
})

test('for a session that may not act it does not run', async () => {
  const forged = { sessionId: db.ada.session.id, proofs: [guessedProof()] }
  await assertNothingChanges(db.owner, () =>
    assert.rejects(
      queryWithSession(pool, forged, "insert into public.notes (body) values ('forged')"),
      code('unauthenticated'),
    ),
  )
  await assertConnectionIsClean()
})

test('while SECRET_KEY changes, a proof of any of its keys is taken', async () => {
  const { session } = db.ada
  const credential = { sessionId: session.id, proofs: [guessedProof(), session.proof] }
  const { rows } = await queryWithSession(pool, credential, whoIs)
  assert.deepEqual(rows, [{ id: db.ada.id, role: 'webuser' }])
})

test('what fails, also only when it is to be kept, keeps nothing', async () => {
  await write('once')
  await assertNothingChanges(db.owner, async () => {
    await assert.rejects(asAda('select 1 / 0'), code('22012'))
    await assert.rejects(write('once'), code('23505'))
  })
  await assertConnectionIsClean()
})

test('it is one statement, and ends no transaction', async () => {
  await assertNothingChanges(db.owner, async () => {
    await assert.rejects(
      asAda("select 1; commit; reset role; insert into public.notes values (null, 'x')"),
      code('42601'),
    )
    await assert.rejects(asAda('commit'), /inside a transaction already/)
    for (const end of ['/**/commit', '/**/rollback', '/**/begin']) await asAda(end).catch(() => {})
  })
  await assertConnectionIsClean()
})

test('what is left on a connection for the next is closed with it', async () => {
  await asAda("prepare authenticate as select 'stolen'")
  await assertConnectionIsClean()
  await asAda(
    "select set_config('role', 'webadmin', false), set_config('pie.session_id', 'x', false)",
  )
  await assertConnectionIsClean()
})

test('a value that cannot be sent is an error of the caller, and the pool goes on', async () => {
  const circle: Record<string, unknown> = {}
  circle['circle'] = circle
  await assert.rejects(asAda('select $1::json', [circle]), TypeError)
  await assertConnectionIsClean()
})

test('a connection that Postgres ends meanwhile is nobody’s next, however soon they come', async () => {
  await db.owner.query(
    `create function public.end_me() returns void language plpgsql security definer as $$
     begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5); end $$;
     grant execute on function public.end_me() to webuser`,
  )
  for (let time = 0; time < 20; time += 1) {
    // Whoever comes in the same turn of the event loop, when the error has come and the socket is still there.
    const next = asAda('select public.end_me()').catch((error) => {
      assert.ok(code('database_unavailable')(error), String(error))
      return asAda(whoIs)
    })
    assert.deepEqual((await next).rows, [{ id: db.ada.id, role: 'webuser' }])
  }
})
