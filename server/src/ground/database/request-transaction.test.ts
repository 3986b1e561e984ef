import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import {
  addPerson,
  credentialOf,
  guessedProof,
  openPeopledDatabase,
  type PeopledDatabase,
} from '../../../../database/test/people.ts'
import { assertNothingChanges } from '../../../../database/test/refusals.ts'
import { Refusal } from '../errors.ts'
import type { Parameter } from './parameter.ts'
import type { Statement } from './pipeline.ts'
import type { Database } from './pool.ts'
import { requestTransaction } from './request-transaction.ts'

let db: PeopledDatabase
let requests: Database
before(async () => {
  db = await openPeopledDatabase()
  await db.owner.query(
    `create table public.notes (author uuid default pie_schema.current_user_id(), body text);
     create function public.refuse(sqlstate text) returns void language plpgsql as
       $$ begin raise exception 'no' using errcode = sqlstate; end $$;
     grant select, insert on public.notes to webuser`,
  )
  requests = db.openRequests(2)
})
after(() => db.close())

const statement = (text: string, ...values: Parameter[]): Statement => ({
  name: text.slice(0, 63),
  text,
  values,
})
const write = (body: string) => statement('insert into public.notes (body) values ($1)', body)
const whoAmI = statement('select pie_schema.current_user_id() as id, current_user::text as role')
const isUnauthenticated = (error: unknown) =>
  error instanceof Refusal && error.code === 'unauthenticated'

test('the work runs as the user of the session, and its rows come back without those of authenticate', async () => {
  const ada = await requestTransaction(requests, credentialOf(db.ada), write('hers'), whoAmI)
  assert.deepEqual(ada, [[], [{ id: db.ada.id, role: 'webuser' }]])
  const dorothy = await requestTransaction(requests, credentialOf(db.dorothy), whoAmI)
  assert.deepEqual(dorothy, [[{ id: db.dorothy.id, role: 'webadmin' }]])
  const { rows } = await db.owner.query('select * from public.notes')
  assert.deepEqual(rows, [{ author: db.ada.id, body: 'hers' }])
  assert.deepEqual(await requestTransaction(requests, credentialOf(db.ada)), [])
})

test('nothing of the work runs when the session is refused', async () => {
  const { ada, grace } = db
  const forgeries = [
    { sessionId: ada.session.id, proofs: [guessedProof()] },
    { sessionId: ada.session.id, proofs: [grace.session.proof] },
    { sessionId: ada.session.id, proofs: [guessedProof(), guessedProof()] },
    { sessionId: ada.session.id, proofs: [] },
    { sessionId: '00000000-0000-4000-8000-000000000000', proofs: [ada.session.proof] },
  ]
  await assertNothingChanges(db.owner, async () => {
    for (const forgery of forgeries) {
      await assert.rejects(
        requestTransaction(requests, forgery, write('forged')),
        isUnauthenticated,
      )
    }
  })
})

test('a session that has ended is refused from its next request on', async () => {
  const lise = await addPerson(db.owner, 'lise')
  await requestTransaction(requests, credentialOf(lise), write('a last word'))
  await db.owner.query(
    `update pie_private.sessions set revoked_at = now(), revoked_reason = 'logout' where id = $1`,
    [lise.session.id],
  )
  await assertNothingChanges(db.owner, () =>
    assert.rejects(
      requestTransaction(requests, credentialOf(lise), write('one more')),
      isUnauthenticated,
    ),
  )
})

test('while SECRET_KEY changes, a proof of any of its keys is taken, and the work is done once', async () => {
  const { session } = db.grace
  const credential = { sessionId: session.id, proofs: [guessedProof(), session.proof] }
  await requestTransaction(requests, credential, write('once'))
  const { rows } = await db.owner.query(`select author from public.notes where body = 'once'`)
  assert.deepEqual(rows, [{ author: db.grace.id }])
})

test('what the work raises is passed on as it is, and keeps nothing', async () => {
  await assertNothingChanges(db.owner, async () => {
    for (const sqlState of ['P0001', '23505', '42501', '40001']) {
      await assert.rejects(
        requestTransaction(
          requests,
          credentialOf(db.ada),
          write('raised'),
          statement('select public.refuse($1)', sqlState),
        ),
        (error) => error instanceof pg.DatabaseError && error.code === sqlState,
      )
    }
  })
})

test("28000 raised by the work is the work's: the session is good, and nobody is signed out for it", async () => {
  await assertNothingChanges(db.owner, () =>
    assert.rejects(
      requestTransaction(
        requests,
        credentialOf(db.ada),
        statement('select public.refuse($1)', '28000'),
      ),
      (error) => !isUnauthenticated(error) && (error as pg.DatabaseError).code === '28000',
    ),
  )
})

test('a session id that is no uuid is an error of the caller, and proves nothing', async () => {
  await assertNothingChanges(db.owner, () =>
    assert.rejects(
      requestTransaction(
        requests,
        { sessionId: "x' or true --", proofs: [db.ada.session.proof] },
        write('injected'),
      ),
      { code: '22P02' },
    ),
  )
})

test('two requests of one session at once are both served', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => requestTransaction(requests, credentialOf(db.ada), whoAmI)),
  )
  for (const answer of answers) assert.deepEqual(answer, [[{ id: db.ada.id, role: 'webuser' }]])
})

test('a parameter never comes into the text of a statement, where others could read it', async () => {
  const working = requestTransaction(
    requests,
    credentialOf(db.ada),
    statement('select pg_sleep(60), $1::text as secret', 'my secret'),
  )
  const cancelled = assert.rejects(working, { code: 'timeout' })
  let seen = ''
  for (let isSleeping = false; !isSleeping; ) {
    const { rows } = await db.owner.query(
      `select query from pg_stat_activity where usename = 'cream' and datname = current_database()`,
    )
    seen += rows.map(({ query }) => query).join('\n')
    isSleeping = seen.includes('pg_sleep')
  }
  await db.owner.query(
    `select pg_cancel_backend(pid) from pg_stat_activity
     where usename = 'cream' and datname = current_database() and query ~ 'pg_sleep'`,
  )
  await cancelled
  assert.ok(!seen.includes('my secret') && !seen.includes(db.ada.session.proof.toString('hex')))
})
