/** The audit log by the month: no line fails for want of one, each is kept as the log is, and only what is over goes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type pg from 'pg'
import { openPeopledDatabase, type PeopledDatabase } from './people.ts'
import { assertRefused, insufficientPrivilege } from './refusals.ts'

let db: PeopledDatabase
let auth: pg.Client
before(async () => {
  db = await openPeopledDatabase()
  auth = await db.connectAs('pie_auth')
})
after(() => db.close())

const partitions = async (): Promise<string[]> =>
  (
    await db.owner.query(
      'select name from pie_private.list_audit_partitions() order by starts_at, name',
    )
  ).rows.map(({ name }) => name)
const make = async (): Promise<number> =>
  (await auth.query('select pie_private.make_audit_months() as count')).rows[0].count
const drop = async (retention: string): Promise<number> =>
  (await auth.query('select pie_private.drop_audit_months($1) as count', [retention])).rows[0].count
const record = (event: string, at = 'now()') =>
  db.owner.query(
    `insert into pie_private.audit_log (event, happened_at) select $1, ${at} returning id, tableoid::regclass::text as partition`,
    [event],
  )
const lines = async (event: string): Promise<number> =>
  (
    await db.owner.query(
      'select count(*)::int as count from pie_private.audit_log where event = $1',
      [event],
    )
  ).rows[0].count

test('after the migration there is a place for this month and the next three, and for everything else', async () => {
  const { rows } = await db.owner.query(
    `select count(*)::int as count from generate_series(0, 3) as ahead
     join pie_private.list_audit_partitions() as part
       on now() + make_interval(months => ahead) >= part.starts_at and now() + make_interval(months => ahead) < part.ends_at
     where not part.is_default`,
  )
  assert.deepEqual(rows, [{ count: 4 }])
  const names = await partitions()
  assert.ok(names.includes('audit_log_first') && names.includes('audit_log_default'))
  assert.equal(await make(), 0)
})

test('ids go on where they were, in one order over all partitions', async () => {
  const ids = []
  for (const at of ['now()', `now() + interval '70 days'`, `now() + interval '9 years'`, 'now()'])
    ids.push(Number((await record('order.kept', at)).rows[0].id))
  assert.deepEqual(
    ids,
    ids.toSorted((one, other) => one - other),
  )
  assert.equal(new Set(ids).size, 4)
})

describe('every partition is kept as the log is', () => {
  const each = async (work: (name: string) => Promise<void>) => {
    const names = await partitions()
    assert.ok(names.length >= 4)
    for (const name of names) await work(`pie_private.${name}`)
  }

  test('no line of it is changed, deleted or truncated by whoever names it, a superuser or a replication session', async () => {
    const attempts = (name: string) => [
      `update ${name} set detail = '{}'`,
      `delete from ${name}`,
      `truncate ${name}`,
      `insert into ${name} (id, event) overriding system value values (1, 'a.b') on conflict (id) do update set event = 'a.b'`,
      `merge into ${name} using (select 1) as x on true when matched then delete`,
    ]
    await each(async (name) => {
      for (const attempt of attempts(name)) {
        await assertRefused(db.owner, insufficientPrivilege, () => db.owner.query(attempt), attempt)
        await assertRefused(
          db.owner,
          insufficientPrivilege,
          async () => {
            await db.owner.query('begin')
            try {
              await db.owner.query('set local session_replication_role = replica')
              await db.owner.query(attempt)
            } finally {
              await db.owner.query('rollback')
            }
          },
          attempt,
        )
      }
    })
  })

  test('row-level security is forced, its policies are those of the log, and nobody is granted it', async () => {
    const read = (name: string) =>
      db.owner.query(
        `select relrowsecurity, relforcerowsecurity, relacl,
           (select json_agg(json_build_array(polname, polcmd, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) order by polname)
            from pg_policy where polrelid = pg_class.oid) as policies
         from pg_class where oid = $1::regclass`,
        [name],
      )
    const { rows } = await read('pie_private.audit_log')
    assert.equal(rows[0].relforcerowsecurity, true)
    await each(async (name) => assert.deepEqual((await read(name)).rows, rows, name))
  })

  test('pie_auth and cream have no way to it', async () => {
    const cream = await db.connectAs('cream')
    await each(async (name) => {
      for (const client of [auth, cream])
        await assertRefused(db.owner, insufficientPrivilege, () =>
          client.query(`select from ${name}`),
        )
    })
  })
})

test('months are made ahead as time goes on; two who make them at once make each once', async () => {
  await db.owner.query('begin')
  // As if the next months had not been made.
  for (const name of (await partitions()).filter((name) => /_\d{4}_\d\d$/.test(name)))
    await db.owner.query(`drop table pie_private.${name}`)
  await db.owner.query('commit')
  const other = await db.connectAs('pie_auth')
  const [first, second] = await Promise.all([
    make(),
    other
      .query('select pie_private.make_audit_months() as count')
      .then(({ rows }) => rows[0].count),
  ])
  assert.ok(first + second >= 2)
  assert.equal(await make(), 0)
})

test('a month of which the default partition has lines already stays there, and no line fails', async () => {
  const month = (await partitions()).filter((name) => /_\d{4}_\d\d$/.test(name)).at(-1)
  const { rows } = await db.owner.query(
    'select starts_at from pie_private.list_audit_partitions() where name = $1',
    [month],
  )
  await db.owner.query(`drop table pie_private.${month}`)
  const at = `'${rows[0].starts_at.toISOString()}'::timestamptz + interval '1 day'`
  assert.equal((await record('late.line', at)).rows[0].partition, 'pie_private.audit_log_default')
  assert.equal(await make(), 0)
  assert.equal((await record('late.line', at)).rows[0].partition, 'pie_private.audit_log_default')
  assert.equal(await lines('late.line'), 2)
})

test('a table that is in the way of a month breaks nothing', async () => {
  const [month] = (await partitions()).filter((name) => /_\d{4}_\d\d$/.test(name))
  await db.owner.query(`alter table pie_private.audit_log detach partition pie_private.${month}`)
  assert.equal(await make(), 0)
  await db.owner.query(`drop table pie_private.${month}`)
  assert.equal(await make(), 1)
})

describe('what is over is dropped, by the month', () => {
  const addMonth = async (name: string, from: string, until: string) => {
    await db.owner.query('select pie_private.make_audit_partition($1, $2)', [
      name,
      `for values from ('${from}') to ('${until}')`,
    ])
  }
  // As it is after years: what there was at first went long ago.
  before(async () => {
    await db.owner.query('drop table pie_private.audit_log_first')
    await addMonth('audit_log_2020_01', '2020-01-01 00:00+00', '2020-02-01 00:00+00')
    await addMonth('audit_log_2020_02', '2020-02-01 00:00+00', '2020-03-01 00:00+00')
    await record('old.line', `'2020-01-15'`)
    await record('old.line', `'2020-02-15'`)
  })

  test('a month stays for as long as one line in it may not be old enough', async () => {
    const before = await partitions()
    // A line of the last day of January 2020 may not be.
    const { rows } = await db.owner.query(
      `select extract(day from now() - '2020-01-30 12:00+00')::int || ' days' as retention`,
    )
    assert.equal(await drop(rows[0].retention), 0)
    assert.equal(await drop('100 years'), 0)
    assert.equal(await drop('100000000 days'), 0)
    assert.deepEqual(await partitions(), before)
    assert.equal(await lines('old.line'), 2)
  })

  test('then it goes whole, with a line that says so; never what is not 30 days old', async () => {
    const { rows } = await db.owner.query(
      `select extract(day from now() - '2020-02-02')::int || ' days' as retention`,
    )
    assert.equal(await drop(rows[0].retention), 1)
    assert.ok(!(await partitions()).includes('audit_log_2020_01'))
    assert.equal(await lines('old.line'), 1)
    await record('new.line')
    assert.equal(await drop('0'), 1)
    assert.equal(await drop('-1 year'), 0)
    assert.equal(await lines('old.line'), 0)
    assert.equal(await lines('new.line'), 1)
    const { rows: told } = await db.owner.query(
      `select detail->'partitions' as partitions from pie_private.audit_log where event = 'audit.dropped' order by id`,
    )
    assert.deepEqual(told, [
      { partitions: ['audit_log_2020_01'] },
      { partitions: ['audit_log_2020_02'] },
    ])
  })

  test('the default partition goes when all of its lines are old enough, and there is a new one', async () => {
    const { rows } = await db.owner.query(
      'select count(*)::int as count from pie_private.audit_log_default',
    )
    assert.ok(rows[0].count > 0)
    await record('old.line', `'2021-01-15'`)
    assert.equal(await drop('30 days'), 0)
    assert.equal(await lines('old.line'), 1)
    await db.owner.query('drop table pie_private.audit_log_default')
    await make()
    await record('old.line', `'2021-01-15'`)
    assert.equal(await drop('30 days'), 1)
    assert.equal(await lines('old.line'), 0)
    assert.equal(
      (await record('old.line', `'2021-01-15'`)).rows[0].partition,
      'pie_private.audit_log_default',
    )
  })

  test('whoever is adding a line is not waited for: it is tried again, and nobody queues behind it', async () => {
    assert.ok((await partitions()).includes('audit_log_default'))
    await db.owner.query('begin')
    try {
      await record('held.line')
      const beganMs = performance.now()
      assert.equal(await drop('30 days'), 0)
      // What it waits for at most is said to Postgres: a tenth of a second, not until the other has done.
      assert.ok(performance.now() - beganMs < 10_000)
    } finally {
      await db.owner.query('commit')
    }
    assert.equal(await drop('30 days'), 1)
  })
})
