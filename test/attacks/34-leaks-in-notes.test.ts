import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { proofOf, testKeys } from '../../database/test/people.ts'
import {
  canary,
  doors,
  type InjectableNotes,
  openInjectableNotes,
} from '../harness/injectable-notes.ts'
import { until } from '../harness/nodes.ts'

/** What can be learned through a hole without reading a row: from others at work, time, plans, size. */
let notes: InjectableNotes
before(async () => {
  notes = await openInjectableNotes({
    // Enough that nobody who attacks waits for somebody else's attack to end.
    settings: { DATABASE_CONNECTIONS: '8' },
    prepare: (owner, name) =>
      owner.query(`alter role cream in database ${name} set statement_timeout = '6s'`),
  })
})
after(() => notes?.close())

const asAda = async (...statements: string[]) =>
  JSON.stringify(await notes.run(notes.ada, 'query', ...statements))

const untilAsleep = (count: number): Promise<void> =>
  until(async () => {
    const { rowCount } = await notes.owner.query(
      `select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`,
    )
    return rowCount === count
  })

const wakeAll = () =>
  notes.owner.query(
    `select pg_cancel_backend(pid) from pg_stat_activity
     where datname = current_database() and wait_event = 'PgSleep'`,
  )

const views = ['activity', 'database', 'ssl', 'user_tables'].map((name) => `pg_stat_${name}`)
const look = [...views, 'pg_locks', 'pg_prepared_statements', 'pg_cursors', 'pg_settings'].map(
  (view) => `select t::text from ${view} as t`,
)

test('the proof of somebody who is at work just now is in no view, also for the role that all requests log in as', async () => {
  const { grace, dorothy } = notes
  const working = [
    notes.run(grace, 'query', 'select pg_sleep(20)'),
    notes.run(dorothy, 'query', 'select pg_sleep(20)'),
    notes.run(grace, 'pool', 'select pg_sleep(20)'),
  ]
  await untilAsleep(3)
  const seen = await asAda(...look, 'reset role', ...look)
  await wakeAll()
  await Promise.all(working)
  assert.ok(seen.includes('pg_sleep(20)'), 'she does see their statements')
  for (const secret of notes.secrets) assert.ok(!seen.includes(secret), secret)
})

test('a proof that is written into the text of a statement, and not sent as a parameter, is seen', async () => {
  const password = testKeys.requestRolePassword.revealText()
  const { host, port } = notes.owner
  const careless = new pg.Client({
    connectionString: `postgres://cream:${password}@${host}:${port}/${new URL(notes.databaseUrl).pathname.slice(1)}`,
  })
  await careless.connect()
  const { rows } = await notes.owner.query(
    'select id from pie_private.sessions where user_id = $1 limit 1',
    [notes.grace.id],
  )
  const proof = proofOf(rows[0].id).toString('hex')
  const working = careless
    .query(`select pie_private.authenticate('${rows[0].id}', '\\x${proof}'), pg_sleep(20)`)
    .catch(() => {})
  await untilAsleep(1)
  const seen = await asAda('reset role', ...look)
  await wakeAll()
  await working
  await careless.end()
  assert.ok(seen.includes(proof), 'which is why database/README.md says how to send it')
})

test('a condition that fails, or takes its time, on a row of somebody else’s never comes to it', async () => {
  const { ada, dorothy } = notes
  const failing = `select count(*) from notes.notes where 1 / (case when title like '${canary}%' then 0 else 1 end) = 1`
  const sleeping = `select count(*) from notes.notes where pg_sleep(case when title like '${canary}%' then 60 else 0 end) is not null`
  for (const door of doors) {
    assert.match(JSON.stringify(await notes.run(dorothy, door, failing)), /22012/)
    const own = JSON.stringify(await notes.run(ada, door, failing))
    assert.doesNotMatch(own, /22012/, door)
  }
  assert.match(JSON.stringify(await notes.run(dorothy, 'query', sleeping)), /"timeout"/)
  assert.match(JSON.stringify(await notes.run(ada, 'query', sleeping)), /"count":"\d+"/)
})

test('the rows that a plan expects say nothing of a title that somebody else has, and the statistics are not shown', async () => {
  await notes.owner.query(
    `insert into notes.notes (owner_id, title) select $1, '${canary} common' from generate_series(1, 500)`,
    [notes.grace.id],
  )
  await notes.owner.query('analyze notes.notes')
  const expected = async (title: string) =>
    /"Plan Rows":(\d+)/.exec(
      await asAda(`explain (format json) select from notes.notes where title = '${title}'`),
    )?.[1]
  assert.ok(Number(await expected('nobody has it')) > 0)
  assert.equal(await expected(`${canary} title`), await expected('nobody has it'))
  const stats = await asAda(
    `select count(*)::int as shown from pg_stats where schemaname = 'notes'`,
    `select count(*)::int as shown from pg_stats_ext where schemaname = 'notes'`,
  )
  assert.deepEqual(stats.match(/"shown":\d+/g), ['"shown":0', '"shown":0'])
})

test('a statement that sleeps, and one that returns twenty megabytes, end; others are answered meanwhile', async () => {
  const large = `select repeat('x', 1000000) as x from generate_series(1, 20)`
  const attacks = doors.flatMap((door) => [
    notes.run(notes.ada, door, 'select pg_sleep(60)'),
    notes.run(notes.ada, door, large),
  ])
  for (const user of [notes.grace, notes.dorothy])
    assert.ok((await user.titles()).some((title) => title.startsWith(canary)))
  for (const [index, answers] of (await Promise.all(attacks)).entries()) {
    const text = JSON.stringify(answers)
    const hasTimedOut = /"code":"(timeout|57014)"/.test(text)
    // On a busy machine twenty megabytes may take longer than the statement may: that is an end, too.
    assert.ok(hasTimedOut || (index % 2 === 1 && text.length > 20_000_000), text.slice(0, 200))
  }
  assert.deepEqual(await notes.ada.titles(), ['Of ada', 'Welcome'])
})
