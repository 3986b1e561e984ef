import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openPeopledDatabase, type PeopledDatabase } from '../../database/test/people.ts'
import { assertNothingChanges } from '../../database/test/refusals.ts'

let db: PeopledDatabase
before(async () => {
  db = await openPeopledDatabase()
})
after(() => db.close())

test('no column that a request writes is unique, refers to a row, or is checked against others', async () => {
  const { rows } = await db.owner.query(
    `select attrelid::regclass::text || '.' || attname as name
     from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
     where nspname in ('pie_schema', 'pie_private') and relkind = 'r'
       and (has_column_privilege('webadmin', attrelid, attnum, 'insert')
         or has_column_privilege('webadmin', attrelid, attnum, 'update'))
     order by 1`,
  )
  assert.deepEqual(rows, [{ name: 'pie_schema.users.name' }])
  const { rows: telling } = await db.owner.query(
    `select conname as name from pg_constraint, pg_attribute
     where attrelid = 'pie_schema.users'::regclass and attname = 'name'
       and conrelid = attrelid and attnum = any (conkey) and contype in ('u', 'p', 'f', 'x')
     union all
     select indexrelid::regclass::text from pg_index, pg_attribute
     where attrelid = 'pie_schema.users'::regclass and attname = 'name'
       and indrelid = attrelid and indisunique and attnum = any (indkey)`,
  )
  assert.deepEqual(telling, [])
})

test('a name that another user has is taken without a word about it', async () => {
  await db.owner.query(`update pie_schema.users set name = 'The One' where id = $1`, [db.grace.id])
  const { rowCount } = await db.request(db.ada, `update pie_schema.users set name = 'The One'`)
  assert.equal(rowCount, 1)
})

test('an expression that fails on a hidden row is not reached by it', async () => {
  const conditions = [
    `1 / (case when name = 'grace' then 0 else 1 end) = 1`,
    `(case when id = '${db.grace.id}' then 'x' else '1' end)::int = 1`,
    `name || repeat('x', case when id = '${db.grace.id}' then -1 else 1 end) <> ''`,
  ]
  await assertNothingChanges(db.owner, async () => {
    for (const condition of conditions) {
      const sql = `select id from pie_schema.users where ${condition}`
      assert.deepEqual((await db.request(db.ada, sql)).rows, [{ id: db.ada.id }], condition)
      const update = `update pie_schema.users set name = name where ${condition}`
      assert.equal((await db.request(db.ada, `${update} and false`)).rowCount, 0)
    }
    await assert.rejects(
      db.owner.query(`select id from pie_schema.users where ${conditions[1]}`),
      { code: '22P02' },
      'whoever sees the row does reach it',
    )
  })
})

test('an update finds no hidden row to change, to return, or to join with', async () => {
  const { ada, grace } = db
  await assertNothingChanges(db.owner, async () => {
    const updates = [
      `update pie_schema.users set name = 'x' where id = '${grace.id}' returning *`,
      `update pie_schema.users set name = 'x' from pie_schema.user_emails
         where user_emails.user_id = users.id and email = '${grace.email}' returning email`,
      `with mine as (select id from pie_schema.users where id = '${grace.id}' for update) select * from mine`,
      `merge into pie_schema.users using (values ('${grace.id}'::uuid)) as v (id) on users.id = v.id
         when matched then update set name = 'x'`,
    ]
    for (const update of updates) {
      assert.equal((await db.request(ada, update)).rowCount, 0, update)
    }
  })
})

test('what the planner knows of a hidden column is not told: not by statistics, nor by the rows it expects', async () => {
  await db.owner.query(
    `insert into pie_schema.users (id, name) select gen_random_uuid(), 'common' from generate_series(1, 500)`,
  )
  await db.owner.query('analyze pie_schema.users')
  const stats = await db.request(
    db.ada,
    `select * from pg_stats where schemaname in ('pie_schema', 'pie_private')`,
  )
  assert.deepEqual(stats.rows, [])
  const expected = async (name: string): Promise<number> => {
    const { rows } = await db.request(
      db.ada,
      `explain (format json) select from pie_schema.users where name = '${name}'`,
    )
    return rows[0]['QUERY PLAN'][0].Plan['Plan Rows']
  }
  assert.equal(await expected('common'), await expected('nobody has it'))
})
