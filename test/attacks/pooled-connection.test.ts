import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  credentialOf,
  openPeopledDatabase,
  type PeopledDatabase,
  type Person,
} from '../../database/test/people.ts'
import { assertNothingChanges } from '../../database/test/refusals.ts'
import type { Statement } from '../../server/src/ground/database/pipeline.ts'
import type { Database, Row } from '../../server/src/ground/database/pool.ts'
import { requestTransaction } from '../../server/src/ground/database/request-transaction.ts'

/** One connection, so that each request comes to the one that the request before it has left. */
let db: PeopledDatabase
let requests: Database
before(async () => {
  db = await openPeopledDatabase()
  await db.owner.query(
    `create table public.deeds (
       id int primary key, after int constraint deeds_after references public.deeds deferrable initially deferred
     );
     grant select, insert on public.deeds to webuser`,
  )
  const name = new URL(db.url).pathname.slice(1)
  await db.owner.query(`alter role cream in database ${name} set statement_timeout = '3s'`)
  requests = db.openRequests(1)
})
after(() => db.close())

const statement = (text: string, values: Statement['values'] = []): Statement => ({
  name: text.slice(0, 60),
  text,
  values,
})

const whoAmI = statement(
  `select pie_schema.current_user_id() as user_id, current_user::text as role,
     current_setting('pie.session_id', true) as session_id, pg_backend_pid() as connection`,
)

async function run(person: Person, ...work: Statement[]): Promise<Row[]> {
  const rows = await requestTransaction(requests, credentialOf(person), ...work)
  return rows.at(-1) ?? []
}

/** Grace's next request works as she, and one without a session after it works as nobody. */
async function assertNextIsClean(): Promise<void> {
  const [row] = await run(db.grace, whoAmI)
  assert.deepEqual(
    { user: row?.['user_id'], role: row?.['role'], session: row?.['session_id'] },
    { user: db.grace.id, role: 'webuser', session: db.grace.session.id },
  )
  const [[bare] = []] = await requests.send(
    statement(
      `select current_user::text as role, nullif(current_setting('pie.session_id', true), '') as id,
         nullif(current_setting('pie.session_proof', true), '') as proof, pg_backend_pid() as connection`,
    ),
  )
  assert.deepEqual(
    { role: bare?.['role'], id: bare?.['id'], proof: bare?.['proof'] },
    { role: 'cream', id: null, proof: null },
  )
  await assert.rejects(requests.send(statement('select id from pie_schema.users')), {
    code: '42501',
  })
}

test('after a request that succeeded, the next one is another person', async () => {
  const [first] = await run(db.dorothy, whoAmI)
  assert.equal(first?.['role'], 'webadmin')
  await assertNextIsClean()
})

test('after an error, the next request inherits nothing, and nothing of the failed one is kept', async () => {
  await assertNothingChanges(db.owner, async () => {
    await assert.rejects(
      run(
        db.dorothy,
        statement('insert into public.deeds (id) values (1)'),
        statement('select 1 / 0'),
      ),
      { code: '22012' },
    )
  })
  await assertNextIsClean()
})

test('after a session was refused, the next request is served', async () => {
  const stranger = { ...db.ada, session: { ...db.ada.session, proof: Buffer.alloc(32) } }
  await assertNothingChanges(db.owner, () =>
    assert.rejects(run(stranger, statement('insert into public.deeds (id) values (1)')), {
      code: 'unauthenticated',
    }),
  )
  await assertNextIsClean()
})

test('after a statement was cancelled, the next request inherits nothing', async () => {
  const slow = statement('select pg_sleep(60)')
  await assertNothingChanges(db.owner, async () => {
    const refused = assert.rejects(
      run(db.dorothy, statement('insert into public.deeds (id) values (1)'), slow),
      { code: 'timeout' },
    )
    let isCancelled = false
    // By whatever: on a busy machine by the time limit.
    const done = () => {
      isCancelled = true
    }
    refused.then(done, done)
    while (!isCancelled) {
      const { rows } = await db.owner.query(
        `select pg_cancel_backend(pid) as done from pg_stat_activity
         where datname = current_database() and query like '%pg_sleep%' and pid <> pg_backend_pid()`,
      )
      isCancelled ||= rows[0]?.done === true
    }
    await refused
  })
  await assertNextIsClean()
})

test('after a statement took too long, the next request inherits nothing', async () => {
  await assertNothingChanges(db.owner, () =>
    assert.rejects(
      run(
        db.dorothy,
        statement('insert into public.deeds (id) values (1)'),
        statement('select pg_sleep(60)'),
      ),
      { code: 'timeout', retryAfterSeconds: 2 },
    ),
  )
  await assertNextIsClean()
})

test('after a commit that failed, the request has failed and the next one inherits nothing', async () => {
  await assertNothingChanges(db.owner, () =>
    assert.rejects(
      run(db.dorothy, statement('insert into public.deeds (id, after) values (1, 7)'), whoAmI),
      { code: '23503' },
    ),
  )
  await assertNextIsClean()
})

test('many interleaved requests of three people over two connections never see one another', async () => {
  const two = db.openRequests(2)
  const people = [db.ada, db.grace, db.dorothy]
  const seen = statement('select id from pie_schema.users where id <> $1', [])
  const outcomes = await Promise.all(
    Array.from({ length: 300 }, async (_, turn) => {
      const person = people[turn % 3] as Person
      const failing = turn % 7 === 0 ? [statement('select 1 / 0')] : []
      const work = requestTransaction(
        two,
        credentialOf(person),
        whoAmI,
        { ...seen, values: [person.id] },
        ...failing,
      )
      const rows = await work.catch((error) => error.code)
      if (failing.length > 0) return rows === '22012'
      const [[me], others] = rows
      const expected = person === db.dorothy ? 2 : 0
      return me.user_id === person.id && others.length === expected
    }),
  )
  assert.ok(outcomes.every((isRight) => isRight))
  assert.ok(two.pool.totalCount <= 2)
})
